"""The page names a test for each attack; they must be there."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "security.md"
NAMED = re.compile(r"\[([a-z0-9 ]+)\]\(\.\./\.\./(tests/[\w/]+\.py)\)")


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE.read_text("utf-8"))
    assert len(named) > 40
    for name, file in named:
        written = (PAGE.parents[2] / file).read_text("utf-8")
        assert f"def test_{name.replace(' ', '_')}(" in written, f"{file} has no test {name}"
