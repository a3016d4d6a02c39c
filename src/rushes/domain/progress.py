"""How far a prompt is, made from ComfyUI's websocket messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the card shows while a job runs; `percent` is 0 to 100 over the whole graph."""

    stage: str  # uploading | queued | running | collecting
    percent: int | None = None
    value: float | None = None
    max: float | None = None
    node: str | None = None
    node_title: str | None = None
    position: int | None = None

    def as_json(self) -> dict[str, Any]:
        fields = (
            ("stage", self.stage),
            ("percent", self.percent),
            ("value", self.value),
            ("max", self.max),
            ("node", self.node),
            ("node_title", self.node_title),
            ("position", self.position),
        )
        return {name: value for name, value in fields if value is not None}


class ProgressTracker:
    """Adds up what the messages say; counts every node of the graph as one step."""

    def __init__(self, graph: Mapping[str, Any]) -> None:
        self._graph = graph
        self._finished: set[str] = set()
        self._latest = Progress(stage="queued")
        self._highest = 0

    def seen(self, where: str, position: int | None = None) -> Progress:
        """Where the queue has it."""
        if where == "running" and self._latest.stage == "queued":
            self._latest = Progress(stage="running", percent=0)
        elif where == "pending":
            self._latest = Progress(stage="queued", position=position)
        return self._latest

    def feed(self, kind: str, data: Mapping[str, Any]) -> Progress | None:
        """Take one message; the new progress, if it tells any."""
        match kind:
            case "execution_start":
                self._latest = Progress(stage="running", percent=0)
            case "execution_cached":
                nodes = data.get("nodes")
                self._finished.update(map(str, nodes) if isinstance(nodes, list) else ())
                self._step(None)
            case "executing":
                self._step(_text(data.get("display_node") or data.get("node")))
            case "executed":
                self._finished.add(str(data.get("node")))
                self._step(self._latest.node)
            case "progress":
                self._step(_text(data.get("node")), data.get("value"), data.get("max"))
            case "progress_state":
                self._states(data.get("nodes"))
            case _:
                return None
        return self._latest

    def _states(self, nodes: Any) -> None:
        running = None
        for node_id, state in nodes.items() if isinstance(nodes, dict) else ():
            if not isinstance(state, dict):
                continue
            if state.get("state") == "finished":
                self._finished.add(str(node_id))
            elif state.get("state") == "running":
                running = (str(state.get("display_node_id") or node_id), state.get("value"), state.get("max"))
        self._step(*(running or (self._latest.node,)))

    def _step(self, node: str | None, value: Any = None, maximum: Any = None) -> None:
        if node is not None and node != self._latest.node and self._latest.node:
            self._finished.add(self._latest.node)
        part = _share(value, maximum)
        steps = max(len(self._graph), 1)
        done = len(self._finished & set(self._graph)) + (part or 0.0)
        self._highest = max(self._highest, min(99, int(100 * done / steps)))
        meta = self._graph.get(node or "") or {}
        title = (meta.get("_meta") or {}).get("title") or meta.get("class_type")
        self._latest = Progress(
            stage="running",
            percent=self._highest,
            node=node,
            node_title=title,
            value=value if part is not None else None,
            max=maximum if part is not None else None,
        )


def _share(value: Any, maximum: Any) -> float | None:
    if not isinstance(value, int | float) or not isinstance(maximum, int | float) or maximum <= 0:
        return None
    return max(0.0, min(1.0, value / maximum))


def _text(node: Any) -> str | None:
    return None if node is None else str(node)
