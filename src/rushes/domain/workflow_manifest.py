"""What a manifest.toml may say, as frozen models."""

from typing import Literal

from pydantic import Field, field_validator

from rushes.domain.derived import Derived
from rushes.domain.errors import InvalidWorkflow
from rushes.domain.fields import GRAPHS, Frozen, InputField, Name
from rushes.domain.retention import RetainDays

OutputKind = Literal["image", "video", "audio", "text", "file"]


class Output(Frozen):
    """One result: which node makes it in which graph, and the name it is stored under."""

    name: Name
    kind: OutputKind
    node: str | dict[str, str]
    stored_as: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_]{0,62}$|^$")
    label: str = ""

    @field_validator("node")
    @classmethod
    def _known_graphs(cls, node: str | dict[str, str]) -> str | dict[str, str]:
        for graph in node if isinstance(node, dict) else ():
            graph_stem(graph)
        return node

    def node_in(self, graph: str) -> str | None:
        """The node's id in that graph, or None."""
        return self.node if isinstance(self.node, str) else self.node.get(graph_stem(graph))

    @property
    def file_stem(self) -> str:
        """The stored file's name without its extension."""
        return self.stored_as or self.name


class Join(Frozen):
    """A node that adds item after item to a result; with one item it isn't needed."""

    node: str
    input: str
    item: str


class Feed(Frozen):
    """From the second item on, this input gets what the items before it made."""

    node: str
    input: str
    source: str = Field(alias="from")
    slot: int = Field(default=0, ge=0)


class Collect(Frozen):
    """An input for each item on a node outside: `input` has a # for the item's number."""

    node: str
    input: str = Field(pattern="#")
    source: str = Field(alias="from")
    slot: int = Field(default=0, ge=0)
    first: int = Field(default=1, ge=0)


class Fragment(Frozen):
    """Nodes that are repeated for every item of a list, or a derived number of times."""

    graph: Literal["workflow", "preview"]
    over: str
    nodes: tuple[str, ...] = Field(min_length=1)
    join: tuple[Join, ...] = ()
    feed: tuple[Feed, ...] = ()
    collect: tuple[Collect, ...] = ()


class Requirement(Frozen):
    """A custom package, or model files, that a server must have."""

    package: str
    url: str = ""
    graph: Literal["workflow", "preview"] = "workflow"
    classes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


class Manifest(Frozen):
    """What manifest.toml says."""

    title: str = Field(min_length=1, max_length=100)
    description: str = ""
    icon: str = ""
    group: str = ""
    order: int = 0
    version: str = "1"
    output: OutputKind
    dataset: bool = False
    inputs: tuple[InputField, ...] = ()
    derived: tuple[Derived, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    outputs: tuple[Output, ...] = Field(min_length=1)
    requires: tuple[Requirement, ...] = ()
    retain_days: RetainDays | None = None

    def input(self, name: str) -> InputField | None:
        """The input of that name."""
        return next((field for field in self.inputs if field.name == name), None)

    def fragments_of(self, graph: str) -> list[Fragment]:
        """The fragments of one graph."""
        return [fragment for fragment in self.fragments if fragment.graph == graph_stem(graph)]


def graph_stem(graph: str) -> str:
    """ "workflow" or "preview", of a graph's file name; raises InvalidWorkflow for any other."""
    stem = graph.removesuffix(".json")
    if stem not in GRAPHS:
        names = " or ".join(f"{name}.json" for name in GRAPHS)
        raise InvalidWorkflow(f"there is no graph {graph!r}; use {names}")
    return stem
