"""A prompt as a graph: its links, and an order in which every node comes after those it needs."""

from collections.abc import Iterator, Mapping
from typing import Any


class Cycle(Exception):
    """Nodes that wait for each other, in the order of the links."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(" -> ".join(names))
        self.names = names


def is_link(value: Any) -> bool:
    """Whether an input's value is a link to another node's output."""
    return isinstance(value, list) and len(value) == 2


def links(prompt: Mapping[str, Any], name: str) -> list[str]:
    """The nodes a node's inputs come from, as far as the links make sense."""
    given = prompt[name].get("inputs", {})
    values = given.values() if isinstance(given, dict) else ()
    return [value[0] for value in values if is_link(value) and isinstance(value[0], str)]


def children_first(prompt: Mapping[str, Any], output: str, deepest: int) -> Iterator[tuple[str, bool]]:
    """Every node behind an output, and whether it lies too deep to be looked behind; raises Cycle."""
    path: dict[str, Iterator[str]] = {output: iter(links(prompt, output))}
    done: set[str] = set()
    while path:
        name, pending = next(reversed(path.items()))
        deep = len(path) > deepest
        child = (
            None if deep else next((each for each in pending if each not in done and each in prompt), None)
        )
        if child is None:
            del path[name]
            done.add(name)
            yield name, deep
        elif child in path:
            names = list(path)
            raise Cycle(names[names.index(child) :])
        else:
            path[child] = iter(links(prompt, child))
