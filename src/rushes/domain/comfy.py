"""What can go wrong with a ComfyUI server, sorted by what to do about it.

ComfyError
├── ComfyUnreachable     not there, 5xx, time-out, not a ComfyUI: another attempt may help
├── PromptRejected       the graph or an input can't run there: the job fails at once
└── ComfyFileMissing     /view doesn't have the file
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rushes.domain.job import JobErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfyFile:
    """A file as ComfyUI names it."""

    filename: str
    subfolder: str = ""
    type: str = "output"


class ComfyError(Exception):
    """Base of what a ComfyUI server can do wrong; the message is fit for a user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ComfyUnreachable(ComfyError):
    """The server can't be reached or doesn't answer as a ComfyUI does."""


class PromptRejected(ComfyError):
    """ComfyUI refused the graph; `code` says which kind of fault, `details` which node and input."""

    def __init__(self, code: JobErrorCode, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = dict(details or {})


class ComfyFileMissing(ComfyError):
    """ComfyUI no longer has an output file."""


def node_title(graph: Mapping[str, Any], node_id: str) -> str | None:
    """The title that the graph gives a node, if it gives one."""
    node = graph.get(node_id)
    meta = node.get("_meta") if isinstance(node, Mapping) else None
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title.strip()[:80] or None if isinstance(title, str) else None


def node_class(graph: Mapping[str, Any], node_id: str) -> str | None:
    """The class of a node of the graph."""
    node = graph.get(node_id)
    name = node.get("class_type") if isinstance(node, Mapping) else None
    return name if isinstance(name, str) else None


def node_in_words(graph: Mapping[str, Any], node_id: str, class_type: str | None = None) -> str:
    """How a message names a node: `node 9 "Output" (SaveVideo)`."""
    name = class_type or node_class(graph, node_id)
    title = node_title(graph, node_id)
    titled = f' "{title}"' if title and title != name else ""
    return f"node {node_id}{titled}" + (f" ({name})" if name else "")


def at_start(words: str) -> str:
    """The words as the start of a sentence."""
    return words[:1].upper() + words[1:]


_ROOT = r"(?:[A-Za-z]:[\\/]+|\\\\|~?/)"
_QUOTED_PATH = re.compile(rf"(['\"]){_ROOT}(?:[^'\"\n]*[\\/])?([^'\"\\/\n]*)[\\/]?\1")
_BARE_PATH = re.compile(rf"(?<![\w./\\:~-]){_ROOT}(?:[^\s'\"<>|*?:,;()\\/]+[\\/]+)*(?=[^\s\\/])")


def without_paths(text: str) -> str:
    """The text with absolute paths cut down to their last part, so that users don't read a server's disk."""
    return _BARE_PATH.sub("", _QUOTED_PATH.sub(r"\1\2\1", text))
