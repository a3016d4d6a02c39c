"""Nodes on strings."""

import json
import re
from collections.abc import Callable
from typing import Any

from rushes.testing.comfyui.nodes.registry import NodeRun, Result, Shown, node


@node("StringConcatenate")
def concatenate(_: NodeRun, string_a: str, string_b: str, delimiter: str) -> Result:
    return (delimiter.join((string_a, string_b)),)


@node("StringSubstring")
def substring(_: NodeRun, string: str, start: int, end: int) -> Result:
    return (string[start:end],)


@node("StringLength")
def length(_: NodeRun, string: str) -> Result:
    return (len(string),)


@node("CaseConverter")
def convert_case(_: NodeRun, string: str, mode: str) -> Result:
    changes = {
        "UPPERCASE": str.upper,
        "lowercase": str.lower,
        "Capitalize": str.capitalize,
        "Title Case": str.title,
    }
    return (changes[mode](string),)


@node("StringTrim")
def trim(_: NodeRun, string: str, mode: str) -> Result:
    return ({"Both": str.strip, "Left": str.lstrip, "Right": str.rstrip}[mode](string),)


@node("StringReplace")
def replace(_: NodeRun, string: str, find: str, replace: str) -> Result:
    return (string.replace(find, replace),)


@node("StringContains")
def contains(_: NodeRun, string: str, substring: str, case_sensitive: bool) -> Result:
    if not case_sensitive:
        string, substring = string.lower(), substring.lower()
    return (substring in string,)


@node("StringCompare")
def compare(_: NodeRun, string_a: str, string_b: str, mode: str, case_sensitive: bool) -> Result:
    if not case_sensitive:
        string_a, string_b = string_a.lower(), string_b.lower()
    tests: dict[str, Callable[[str, str], bool]] = {
        "Equal": lambda one, other: one == other,
        "Starts With": str.startswith,
        "Ends With": str.endswith,
    }
    return (tests[mode](string_a, string_b),)


def _flags(case_insensitive: bool, multiline: bool, dotall: bool) -> re.RegexFlag:
    chosen = re.RegexFlag(0)
    for wanted, flag in ((case_insensitive, re.IGNORECASE), (multiline, re.MULTILINE), (dotall, re.DOTALL)):
        chosen |= flag if wanted else re.RegexFlag(0)
    return chosen


@node("RegexMatch")
def regex_match(
    _: NodeRun, string: str, regex_pattern: str, case_insensitive: bool, multiline: bool, dotall: bool
) -> Result:
    try:
        return (re.search(regex_pattern, string, _flags(case_insensitive, multiline, dotall)) is not None,)
    except re.error:
        return (False,)


@node("RegexExtract")
def regex_extract(
    _: NodeRun,
    string: str,
    regex_pattern: str,
    mode: str,
    case_insensitive: bool,
    multiline: bool,
    dotall: bool,
    group_index: int,
) -> Result:
    try:
        found = list(re.finditer(regex_pattern, string, _flags(case_insensitive, multiline, dotall)))
    except re.error:
        return ("",)
    has_groups = bool(found and found[0].groups())
    # "All Matches" is what re.findall gives: the first group where there are any.
    group = group_index if "Group" in mode else int(mode == "All Matches" and has_groups)
    texts = [match[group] or "" for match in found if group <= len(match.groups())]
    return (("\n".join(texts) if mode.startswith("All") else "".join(texts[:1])),)


@node("RegexReplace")
def regex_replace(
    _: NodeRun,
    string: str,
    regex_pattern: str,
    replace: str,
    case_insensitive: bool = True,
    multiline: bool = False,
    dotall: bool = False,
    count: int = 0,
) -> Result:
    flags = _flags(case_insensitive, multiline, dotall)
    return (re.sub(regex_pattern, replace, string, count=count, flags=flags),)


@node("StringFormat")
def string_format(_: NodeRun, f_string: str, **values: object) -> Result:
    named = {name.partition("__")[2]: value for name, value in values.items() if "__" in name}
    return (f_string.format(**named),)


@node("JsonExtractString")
def json_extract(_: NodeRun, json_string: str, key: str) -> Result:
    try:
        found = json.loads(json_string)
    except json.JSONDecodeError:
        return ("",)
    return (str(found[key]) if isinstance(found, dict) and key in found else "",)


@node("PreviewAny")
def preview_any(_: NodeRun, source: Any = None) -> Result:
    text = _as_text(source)
    return Shown({"text": [text]}, (text,))


def _as_text(source: Any) -> str:
    if isinstance(source, str):
        return source
    if source is None or isinstance(source, bool | int | float):
        return str(source)
    try:
        return json.dumps(source, indent=4)
    except (TypeError, ValueError):
        return str(source)


@node("SaveText")
def save_text(run: NodeRun, text: str, filename_prefix: str, format: str) -> Result:
    place = run.folders.save_path(filename_prefix)
    name = place.name(f".{format}")
    (place.folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    saved = {"filename": name, "subfolder": place.subfolder, "type": "output"}
    return Shown({"text": [text], "files": [saved]}, (text,))


for _class_type in (
    "PrimitiveString",
    "PrimitiveStringMultiline",
    "PrimitiveInt",
    "PrimitiveFloat",
    "PrimitiveBoolean",
):

    @node(_class_type)
    def primitive(_: NodeRun, value: Any) -> Result:
        return (value,)
