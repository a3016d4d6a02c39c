"""Splits an SQL file into statements, as the Supabase CLI stores them: trimmed, without the semicolon."""

import re
from collections.abc import Iterator

# Whatever may hide a semicolon; anything else is passed over a character at a time.
_OPAQUE = re.compile(
    r"""
      --[^\n]*                                   # comment to the end of the line
    | /\*                                        # block comment: nests, so it is walked below
    | [eE]'(?:[^'\\]|\\.|'')*'                   # escape string
    | '(?:[^']|'')*'                             # string
    | "(?:[^"]|"")*"                             # quoted name
    | \$(?P<tag>[A-Za-z_\x80-\uffff]*[A-Za-z0-9_\x80-\uffff]*)\$.*?\$(?P=tag)\$   # dollar quoted
    | [A-Za-z_\x80-\uffff][\w$]*                 # a word, so that a$b$c isn't taken for a quote
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def split_statements(sql: str) -> list[str]:
    """The statements of a file, with the comments that precede them. A trailing comment alone is none."""
    return [text for text in (part.strip() for part in _parts(sql)) if _COMMENTS.sub("", text).strip()]


def _parts(sql: str) -> Iterator[str]:
    start = position = 0
    while position < len(sql):
        if sql[position] == ";":
            yield sql[start:position]
            start = position = position + 1
        else:
            position = _after(sql, position)
    yield sql[start:]


def _after(sql: str, position: int) -> int:
    found = _OPAQUE.match(sql, position)
    if not found:
        return position + 1
    return _after_comment(sql, position) if found.group() == "/*" else found.end()


def _after_comment(sql: str, position: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, position):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)
