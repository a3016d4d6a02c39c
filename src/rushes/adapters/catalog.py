"""Workflow types from folders on disk: read when they change, and a broken one never hides the others."""

import json
import stat
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from rushes.domain.errors import InvalidWorkflow, UnknownWorkflow
from rushes.domain.workflow import TYPE_NAME, Workflow, parse_workflow

MANIFEST = "manifest.toml"
PICTURE = "preview.webp"
GRAPHS = ("workflow.json", "preview.json")
LIMITS = {MANIFEST: 1_000_000, PICTURE: 2_000_000, **dict.fromkeys(GRAPHS, 20_000_000)}

_CHECK_SECONDS = 1.0

Stamp = tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class _Folder:
    """One type's folder as last read: its workflow, or why there is none."""

    stamp: Stamp
    workflow: Workflow | None = None
    fault: str = ""


@dataclass(slots=True)
class _Shelf:
    folders: dict[Path, _Folder] = field(default_factory=dict)
    by_type: dict[str, _Folder] = field(default_factory=dict)
    checked_at: float = float("-inf")


class FolderCatalog:
    """Every folder in `directories` that has a manifest.toml; a later directory's type replaces an earlier's.

    Changes are noticed at most once a second, by looking at sizes and times only. Safe to use from threads.
    """

    def __init__(
        self, directories: Sequence[Path], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._directories = tuple(directories)
        self._monotonic = monotonic
        self._shelf = _Shelf()
        self._lock = threading.Lock()

    def list(self) -> Sequence[Workflow]:
        """All usable types, in the manifests' order and then by name."""
        found = [folder.workflow for folder in self._current().values() if folder.workflow is not None]
        return sorted(found, key=lambda one: (one.manifest.order, one.type))

    def get(self, workflow_type: str) -> Workflow:
        """The type of that name; raises UnknownWorkflow, which names near matches."""
        folder = self._current().get(workflow_type)
        if folder is not None and folder.workflow is not None:
            return folder.workflow
        raise UnknownWorkflow(self._explained(workflow_type, folder))

    def broken(self) -> dict[str, str]:
        """Why each unusable type can't be used."""
        return {name: folder.fault for name, folder in self._current().items() if folder.workflow is None}

    def _explained(self, workflow_type: str, folder: _Folder | None) -> str:
        if folder is not None:
            return f"The workflow {workflow_type} is installed but broken: {folder.fault}"
        known = [one.type for one in self.list()]
        near = get_close_matches(workflow_type, known, 3)
        hint = (
            f"Did you mean {' or '.join(near)}?" if near else f"Installed are: {', '.join(known) or 'none'}."
        )
        return f"There is no workflow {workflow_type[:80]!r}. {hint}"

    def _current(self) -> dict[str, _Folder]:
        with self._lock:
            now = self._monotonic()
            if now - self._shelf.checked_at >= _CHECK_SECONDS:
                self._reread()
                self._shelf.checked_at = now
            return self._shelf.by_type

    def _reread(self) -> None:
        before, self._shelf.folders = self._shelf.folders, {}
        by_type: dict[str, _Folder] = {}
        for root, path in self._type_folders():
            stamp = _stamp(path)
            if not stamp:
                continue
            known = before.get(path)
            folder = known if known is not None and known.stamp == stamp else _read(root, path, stamp)
            self._shelf.folders[path] = by_type[path.name] = folder
        self._shelf.by_type = by_type

    def _type_folders(self) -> Iterator[tuple[Path, Path]]:
        for root in self._directories:
            try:
                entries = sorted(root.iterdir())
            except OSError:
                continue
            yield from ((root, entry) for entry in entries if entry.is_dir() and entry.name[0] not in "._")


def _stamp(path: Path) -> Stamp:
    """Sizes and times of a type's files; empty if it has no manifest and no graph."""
    found = []
    for name in LIMITS:
        try:
            about = (path / name).stat()
        except OSError:
            continue
        found.append((name, about.st_mtime_ns, about.st_size))
    return tuple(found) if any(name != PICTURE for name, *_ in found) else ()


def _read(root: Path, path: Path, stamp: Stamp) -> _Folder:
    try:
        return _Folder(stamp, _load(root, path))
    except InvalidWorkflow as error:
        problems = error.details.get("problems") or [error.message]
        return _Folder(stamp, fault="; ".join(problems)[:2_000])
    except RecursionError:
        return _Folder(stamp, fault="its graph is nested too deeply")


def _load(root: Path, path: Path) -> Workflow:
    if not TYPE_NAME.match(path.name):
        _fail(f"the folder's name {path.name!r} is not usable: take 1 to 63 of a-z, 0-9 and - (not first)")
    manifest = _toml(_bytes(root, path / MANIFEST))
    graphs = {name: _json(name, _bytes(root, path / name)) for name in GRAPHS if (path / name).exists()}
    picture = path / PICTURE
    return parse_workflow(path.name, manifest, graphs, _inside(root, picture) if picture.exists() else None)


def _inside(root: Path, path: Path) -> Path:
    """The path, unless a link leads out of the directory."""
    if not path.resolve().is_relative_to(root.resolve()):
        _fail(f"{path.name} is a link that leads out of the workflows directory; put the file itself there")
    return path


def _bytes(root: Path, path: Path) -> bytes:
    limit = LIMITS[path.name]
    try:
        about = _inside(root, path).stat()
        if not stat.S_ISREG(about.st_mode):
            _fail(f"{path.name} is not a regular file")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        _fail(f"{path.name} can't be read: {error.strerror or error}")
    if len(content) > limit:
        _fail(f"{path.name} is over {limit // 1_000_000} MB")
    return content


def _toml(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        _fail(f"{MANIFEST} is not valid TOML: {error}")


def _json(name: str, content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        _fail(f"{name} is not valid JSON: {error}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _fail(problem: str) -> NoReturn:
    raise InvalidWorkflow(problem, details={"problems": [problem]})
