"""Results kept between prompts: an identical node with identical ancestors is not run again."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from PIL import Image

from rushes.testing.comfyui.definitions import Catalogue
from rushes.testing.comfyui.film import Film
from rushes.testing.comfyui.folders import Folders
from rushes.testing.comfyui.graph import is_link
from rushes.testing.comfyui.media import Latent, Sound
from rushes.testing.comfyui.nodes import NODES
from rushes.testing.comfyui.outcomes import Outcome

_MOST_BYTES = 512 * 1024 * 1024


class Results:
    """Outcomes by signature. `kept` prompts' worth stay (1: only what the last prompt used), within 512 MB."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()

    def get(self, signature: str | None) -> Outcome | None:
        """The outcome of that signature, if it is still there."""
        return None if signature is None else self._outcomes.get(signature)

    def put(self, signature: str | None, outcome: Outcome) -> None:
        """Keep an outcome; without a signature (an unreadable file) it is not kept."""
        if signature is not None:
            self._outcomes[signature] = outcome

    def start(self, signatures: Mapping[str, str | None]) -> None:
        """A prompt begins that has these nodes: mark them as used, and drop what is too much."""
        used = [signature for signature in signatures.values() if signature in self._outcomes]
        for signature in used:
            self._outcomes.move_to_end(str(signature))
        if self._kept == 1:
            self._outcomes = OrderedDict((key, value) for key, value in self._outcomes.items() if key in used)
        while self._outcomes and _weight(self._outcomes) > _MOST_BYTES:
            self._outcomes.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, as POST /free does."""
        self._outcomes.clear()


def _weight(outcomes: Mapping[str, Outcome]) -> int:
    sizes: dict[int, int] = {}
    for outcome in outcomes.values():
        for values in outcome.values:
            for value in values:
                sizes |= _sizes(value)
    return sum(sizes.values())


def _sizes(value: Any) -> dict[int, int]:
    if isinstance(value, Film):
        return _sizes(value.frames) | _sizes(value.sound)
    if isinstance(value, Sound):
        return {id(channel): 4 * len(channel) for channel in value.channels}
    if isinstance(value, tuple):
        return {id(each): 4 * each.width * each.height for each in value if isinstance(each, Image.Image)}
    return {id(value): len(value.values)} if isinstance(value, Latent) else {}


class Signatures:
    """The signature of every node of a prompt: its class, its values, and all that stands behind its links."""

    def __init__(self, prompt: Mapping[str, Any], catalogue: Catalogue, folders: Folders) -> None:
        self._prompt = prompt
        self._catalogue = catalogue
        self._folders = folders
        self._known: dict[str, str | None] = {}

    def all(self) -> dict[str, str | None]:
        """By node id; None where a node can't be told from another (a cycle, a missing file)."""
        for name in self._prompt:
            self._resolve(name)
        return self._known

    def _resolve(self, start: str) -> None:
        waiting = [start]
        while waiting:
            name = waiting[-1]
            if name in self._known:
                waiting.pop()
                continue
            behind = [value[0] for value in self._inputs(name).values() if is_link(value)]
            unknown = [source for source in behind if source in self._prompt and source not in self._known]
            if unknown and not set(unknown) & set(waiting):
                waiting += unknown
                continue
            self._known[name] = None if unknown else self._signature(name)
            waiting.pop()

    def _inputs(self, name: str) -> Mapping[str, Any]:
        given = self._prompt[name].get("inputs")
        return given if isinstance(given, dict) else {}

    def _signature(self, name: str) -> str | None:
        class_type = self._prompt[name]["class_type"]
        definition = self._catalogue.get(class_type)
        parts: list[Any] = [class_type, name if definition is not None and definition.knows_its_id else ""]
        for key, value in sorted(self._inputs(name).items()):
            if is_link(value):
                source = self._known.get(value[0])
                if source is None:
                    return None
                parts.append([key, "link", source, value[1]])
            else:
                parts.append([key, value])
        state = self._file_state(name, class_type)
        if state is None:
            return None
        return hashlib.sha256(json.dumps([*parts, state], default=repr).encode()).hexdigest()

    def _file_state(self, name: str, class_type: str) -> list[int] | None:
        node = NODES.get(class_type)
        file = self._inputs(name).get(node.file_input) if node and node.file_input else None
        if not isinstance(file, str):
            return []
        try:
            found = self._folders.annotated(file).stat()
        except (OSError, ValueError):
            return None
        return [found.st_mtime_ns, found.st_size]
