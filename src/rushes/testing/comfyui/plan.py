"""In which order the nodes of a prompt run: what is ready, outputs first, as ComfyUI picks."""

from collections.abc import Callable, Mapping
from typing import Any

from rushes.testing.comfyui.definitions import Catalogue
from rushes.testing.comfyui.graph import is_link
from rushes.testing.comfyui.nodes import NODES


class Plan:
    """The nodes still to run and what each waits for; lazy links are added when a node asks for them."""

    def __init__(
        self, prompt: Mapping[str, Any], catalogue: Catalogue, is_cached: Callable[[str], bool]
    ) -> None:
        self._prompt = prompt
        self._catalogue = catalogue
        self._is_cached = is_cached
        self._waiting_for: dict[str, set[str]] = {}
        self._blocks: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._waiting_for)

    def add(self, node: str) -> None:
        """Plan a node and everything it needs."""
        pending = [node]
        links: list[tuple[str, str]] = []
        while pending:
            name = pending.pop()
            if name in self._waiting_for:
                continue
            self._waiting_for[name] = set()
            self._blocks.setdefault(name, {})
            for source in self._needed(name):
                if not self._is_cached(source):
                    pending.append(source)
                    links.append((source, name))
        for source, name in links:
            self._link(source, name)

    def need(self, node: str, input_name: str) -> None:
        """A node asks for an input it may have left out."""
        value = self._prompt[node]["inputs"].get(input_name)
        if is_link(value) and not self._is_cached(value[0]):
            self.add(value[0])
            self._link(value[0], node)

    def next(self) -> str:
        """The node to run now; the plan must not be empty. Raises RuntimeError on a cycle."""
        ready = [name for name, sources in self._waiting_for.items() if not sources]
        if not ready:
            raise RuntimeError("Dependency cycle detected")
        return self._friendly(ready)

    def finish(self, node: str) -> None:
        """The node is done; what waited for it may run."""
        del self._waiting_for[node]
        for follower in self._blocks.pop(node, {}):
            self._waiting_for.get(follower, set()).discard(node)

    def _link(self, source: str, node: str) -> None:
        if source in self._waiting_for:
            self._waiting_for[node].add(source)
            self._blocks.setdefault(source, {})[node] = None

    def _needed(self, name: str) -> list[str]:
        given = self._prompt[name]["inputs"]
        declared = self._catalogue[self._prompt[name]["class_type"]].inputs(given)
        lazy = {key for key, one in declared.items() if one.extra.get("lazy")}
        if NODES[self._prompt[name]["class_type"]].wants is None:
            lazy = set()
        return [value[0] for key, value in given.items() if is_link(value) and key not in lazy]

    def _friendly(self, ready: list[str]) -> str:
        for reach in range(3):
            for name in ready:
                if self._leads_to_output(name, reach):
                    return name
        return ready[0]

    def _leads_to_output(self, name: str, reach: int) -> bool:
        if reach == 0:
            return self._catalogue[self._prompt[name]["class_type"]].is_output_node
        return any(self._leads_to_output(follower, reach - 1) for follower in self._blocks.get(name, ()))
