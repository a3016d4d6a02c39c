"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "rushes"
QUERIES = SOURCE / "adapters" / "postgres" / "queries"

# driver libraries; each may be imported in one adapter folder, whichever that is
DRIVERS = ("psycopg", "psycopg_pool", "httpx2", "websockets", "jwt", "PIL", "av")
# the demo server is a program of its own; the sample draws its picture
GUESTS = {
    "PIL": ("testing/", "bootstrap/sample.py"),
    "av": ("testing/",),
    "websockets": ("testing/",),
    "uvicorn": ("testing/",),
}

STATEMENT = re.compile(
    r"\s*(SELECT\s.+|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s*\(|(CREATE|ALTER|DROP)\s+\w+\s)",
    re.IGNORECASE | re.DOTALL,
)
# what a connection needs before any file can be read, and what names are spliced into
STATEMENTS_IN_CODE = {
    "adapters/postgres/pool.py",
    "adapters/postgres/sessions.py",
    "adapters/postgres/migrations.py",
    "adapters/postgres/bootstrap/__init__.py",
    "adapters/postgres/embedded/cluster.py",
    "adapters/postgres/legacy.py",
}


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def texts(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def tracked() -> list[Path]:
    """The files that git keeps, or would keep."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for one in listed.split("\0") if one and (path := ROOT / one).is_file()]


def text_of(path: Path) -> str:
    raw = path.read_bytes()
    return "" if b"\0" in raw[:8192] else raw.decode("utf-8", "replace")


def test_no_module_is_over_400_lines() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in tracked()
        if path.suffix in (".py", ".sql", ".svelte", ".ts") and "schema.d.ts" not in path.name
        if path.is_relative_to(ROOT / "src") or path.is_relative_to(ROOT / "web" / "src")
        if (lines := len(text_of(path).splitlines())) > 400
    }
    assert long == {}


@pytest.mark.parametrize("library", DRIVERS)
def test_a_driver_library_has_one_home(library: str) -> None:
    users = {name(path) for path in modules() if library in imported(path)}
    homes = {
        "/".join(user.split("/")[:2]) for user in users if not user.startswith(GUESTS.get(library, ("-",)))
    }
    assert len(homes) == 1, homes
    assert homes.pop().startswith("adapters/")


@pytest.mark.parametrize(
    ("library", "home"), [("fastapi", "web/"), ("uvicorn", "bootstrap/"), ("typer", "cli/")]
)
def test_a_framework_stays_in_its_layer(library: str, home: str) -> None:
    users = {name(path) for path in modules() if library in imported(path)}
    assert {user for user in users if not user.startswith((home, *GUESTS.get(library, ())))} == set()
    assert users


def test_sql_stands_in_files_of_its_own() -> None:
    found = {
        f"{name(path)}: {' '.join(text.split())[:60]}"
        for path in modules()
        if name(path) not in STATEMENTS_IN_CODE
        for text in texts(path)
        if STATEMENT.match(text)
        and text.upper().strip()[:6] in text  # upper case: a statement, not a sentence
    }
    assert found == set()


def test_every_query_file_is_used_and_every_used_one_is_there() -> None:
    used = {text for path in SOURCE.glob("adapters/postgres/**/*.py") for text in texts(path)}
    unused = {path.stem for path in QUERIES.glob("*.sql")} - used
    assert unused == set()
    called = {
        node.args[0].value
        for path in SOURCE.glob("adapters/postgres/**/*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "query"
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }
    assert {one for one in called if not (QUERIES / f"{one}.sql").is_file()} == set()


def test_nothing_names_a_machine() -> None:
    # put together, so that this file doesn't match itself
    paths = "|".join("/" + place + "/" for place in ("work", "opt", "root", r"home/[a-z]\w*", "Users/[a-z]"))
    places = re.compile(rf"(?<![\w.:}}$])({paths})")
    fine = re.compile("/home" + "/(anna|comfy|user)/|/opt" + "/homebrew/")  # somebody's, in examples
    found = {
        f"{path.relative_to(ROOT)}: {line.strip()[:80]}"
        for path in tracked()
        for line in text_of(path).splitlines()
        if places.search(line) and not fine.search(line)
    }
    assert found == set()


def test_locked_packages_come_from_wherever_packages_come_from() -> None:
    assert not re.search(
        r"--(extra-)?index-url|--find-links|https?://", (ROOT / "requirements.lock").read_text()
    )
    resolved = set(
        re.findall(r'"resolved": "(https?://[^/]+)', (ROOT / "web" / "package-lock.json").read_text())
    )
    assert resolved <= {"https://registry.npmjs.org"}


def test_data_inside_of_the_package_is_kept_by_git() -> None:
    """The wheel leaves out what git ignores."""
    data = [str(path) for path in SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    made = ("/_workflows/", "/_migrations/", "/web/static/")  # put in by the build
    asked = subprocess.run(
        ["git", "check-ignore", "--stdin"],
        cwd=ROOT,
        input="\n".join(data),
        capture_output=True,
        text=True,
        check=False,
    )
    assert [one for one in asked.stdout.splitlines() if not any(part in one for part in made)] == []


def test_names_say_what_a_thing_is() -> None:
    vague = re.compile(r"(Manager|Helper|Util|Utils|Handler|Data|Info)$")
    found = {
        f"{name(path)}: {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and vague.search(node.name)
    }
    assert found == set()
    assert not [
        name(path) for path in modules() if path.stem in ("utils", "helpers", "common", "misc", "manager")
    ]


def test_every_exemption_from_the_types_says_why() -> None:
    mark = re.compile(r"#\s*type: ignore(\[[^\]]+\]\s+#\s*\w)?")
    found = {
        f"{name(path)}:{number}"
        for path in modules()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (match := mark.search(line)) and not match[1]
    }
    assert found == set()
