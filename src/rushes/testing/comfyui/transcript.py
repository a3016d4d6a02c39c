"""What is told of one prompt: events to its client, and the messages its history entry keeps."""

import time
from typing import Any

from rushes.testing.comfyui.hub import Hub


class Transcript:
    """The events of one prompt in order."""

    def __init__(self, prompt_id: str, hub: Hub) -> None:
        self._prompt_id = prompt_id
        self._hub = hub
        self._messages: list[tuple[str, dict[str, Any]]] = []

    def say(self, kind: str, data: dict[str, Any], *, broadcast: bool = False) -> None:
        """An event that is kept; without a client only a broadcast is sent, to everybody."""
        told = {"prompt_id": self._prompt_id, **data, "timestamp": int(time.time() * 1000)}
        self._messages.append((kind, told))
        if self._hub.client_id is not None or broadcast:
            self._hub.send(kind, told, self._hub.client_id)

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """An event for the client alone, not kept."""
        if self._hub.client_id is not None:
            self._hub.send(kind, {**data, "prompt_id": self._prompt_id}, self._hub.client_id)

    def status(self, completed: bool) -> dict[str, Any]:
        """The `status` of the history entry."""
        return {
            "status_str": "success" if completed else "error",
            "completed": completed,
            "messages": [list(message) for message in self._messages],
        }
