"""What people type into the search box, as to_tsquery reads it. No input is an error."""

import re

_TERM = re.compile(r'(?P<minus>-)?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))')
# The marks that rushes.search_vector blanks out, so that a query is cut up as the text was.
_MARKS = re.compile(r"""[\x00-\x20\s<>\-_/.@:&?=%#+~'"`(){}\[\]|*,;^$!\\]+""")
_TERMS = 32
_WORD_LENGTH = 200  # PostgreSQL refuses words of 2 KB


def tsquery(typed: str | None) -> str | None:
    """Words, "phrases" and -exclusions; the last word also finds what begins with it.

    None is no filter: nothing is typed yet. Marks alone find nothing.
    """
    if typed is None or not typed.strip(' \t\r\n"-'):
        return None
    found = list(_TERM.finditer(typed))[:_TERMS]
    terms = [_term(match, last=match is found[-1]) for match in found]
    return " & ".join(term for term in terms if term)


def _term(match: re.Match[str], *, last: bool) -> str | None:
    phrase, excluded = match["phrase"], match["minus"] is not None
    words = [word for word in _MARKS.split(match["word"] if phrase is None else phrase) if word]
    if not words:
        return None
    operands = [f"'{word}'" if len(word) <= _WORD_LENGTH else f"'{word[:_WORD_LENGTH]}':*" for word in words]
    if last and phrase is None and not excluded and len(words[-1]) <= _WORD_LENGTH:
        operands[-1] += ":*"
    joined = " <-> ".join(operands)
    return f"!({joined})" if excluded else f"({joined})"
