"""How a node class is written: a function of its inputs that gets a `NodeRun` and returns its outputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image

from rushes.testing.comfyui.folders import Folders
from rushes.testing.comfyui.generation import Generation


@dataclass(frozen=True)
class Shown:
    """Outputs together with what the node shows: the entries of history's `outputs`."""

    ui: dict[str, Any]
    outputs: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Blocked:
    """An output that stops whatever depends on it; with a message that is an `ExecutionBlocked` error event."""

    message: str | None = None


Result = tuple[Any, ...] | Shown


class NodeRun(Protocol):
    """What a node may use of the server it runs in."""

    @property
    def folders(self) -> Folders: ...

    @property
    def generation(self) -> Generation: ...

    @property
    def prompt(self) -> Mapping[str, Any]: ...

    @property
    def extra_pnginfo(self) -> Mapping[str, Any] | None: ...

    def progress(
        self, value: int, total: int, preview: Image.Image | None = None, kind: str = "JPEG"
    ) -> None:
        """Tell the clients; raises Interrupted when the prompt was cancelled."""

    def show_text(self, text: str) -> None:
        """Send a line of text under the node (binary event 3)."""

    def temp_prefix(self) -> str:
        """The random prefix of this node's preview files."""

    def sleep(self, seconds: float) -> None:
        """Wait; raises Interrupted as soon as the prompt is cancelled."""


@dataclass(frozen=True)
class Node:
    """One executable class: how to run it, and what ComfyUI asks of it besides."""

    class_type: str
    run: Callable[..., Result]
    file_input: str | None = None
    """The input naming a file in a folder; its state is part of the cache key, and a missing file is refused."""
    file_word: str = ""
    """How the refusal calls the file: `Invalid <word> file: x`."""
    wants: Callable[..., list[str]] | None = None
    """For lazy inputs: which of them are needed, given what is there."""
    takes_lists: bool = False
    """Whether it gets every input as a list of all values, in one call."""
    definition: Mapping[str, Any] | None = None
    """Our own object_info entry; None takes the recorded one."""


NODES: dict[str, Node] = {}


def node(
    class_type: str,
    *,
    file_input: str | None = None,
    file_word: str = "",
    wants: Callable[..., list[str]] | None = None,
    takes_lists: bool = False,
    definition: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Register a function as a node class; one function may serve several."""

    def register(run: Callable[..., Result]) -> Callable[..., Result]:
        NODES[class_type] = Node(class_type, run, file_input, file_word, wants, takes_lists, definition)
        return run

    return register
