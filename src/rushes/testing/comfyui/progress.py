"""How far each node of the running prompt is, and the events that tell so."""

from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from rushes.testing.comfyui.hub import Hub


@dataclass
class Progress:
    """The nodes that began, in that order, with value, maximum and state."""

    prompt_id: str
    hub: Hub
    _nodes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self, node: str) -> None:
        """A node begins."""
        self._nodes[node] = {"value": 0.0, "max": 1.0, "state": "running", **self._about(node)}
        self._tell()

    def update(self, node: str, value: float, total: float, preview: Image.Image | None, kind: str) -> None:
        """A node got further; its preview goes in the form its client negotiated."""
        self._nodes[node] |= {"value": value, "max": total}
        self._tell()
        metadata = self.hub.wants_metadata()
        if preview is not None and metadata:
            self.hub.send_preview_with_metadata(preview, kind, self._about(node))
        event = {"value": value, "max": total, "prompt_id": self.prompt_id, "node": node}
        self.hub.send("progress", event, self.hub.client_id)
        if preview is not None and not metadata:
            self.hub.send_preview(preview, kind)

    def finish(self, node: str) -> None:
        """A node is done."""
        entry = self._nodes.setdefault(node, {"value": 1.0, "max": 1.0, **self._about(node)})
        entry |= {"value": entry["max"], "state": "finished"}
        self._nodes[node] = {key: entry[key] for key in ("value", "max", "state", *self._about(node))}
        self._tell()

    def _about(self, node: str) -> dict[str, Any]:
        return {
            "node_id": node,
            "prompt_id": self.prompt_id,
            "display_node_id": node,
            "parent_node_id": None,
            "real_node_id": node,
        }

    def _tell(self) -> None:
        nodes = {node: dict(entry) for node, entry in self._nodes.items()}
        self.hub.send("progress_state", {"prompt_id": self.prompt_id, "nodes": nodes}, self.hub.client_id)
