"""What every prompt of one server runs in, and what a node may use of it."""

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from rushes.testing.comfyui.cache import Results
from rushes.testing.comfyui.definitions import Catalogue
from rushes.testing.comfyui.failures import Died, Interrupted, OutOfMemory
from rushes.testing.comfyui.faults import Faults
from rushes.testing.comfyui.folders import Folders
from rushes.testing.comfyui.generation import Generation
from rushes.testing.comfyui.hub import Hub
from rushes.testing.comfyui.progress import Progress
from rushes.testing.comfyui.queue import Item


@dataclass
class Surroundings:
    """What every prompt of one server runs in."""

    generation: Generation
    catalogue: Catalogue
    folders: Folders
    hub: Hub
    faults: Faults
    results: Results
    interrupt: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    temp_names: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raise Interrupted when the running prompt was cancelled, Died when the server ends."""
        if self.stopped.is_set():
            raise Died
        if self.interrupt.is_set():
            self.interrupt.clear()
            raise Interrupted

    def misbehave(self, class_type: str) -> None:
        """Do what the faults in force say for a node of that class."""
        self.faults.hold_thread("worker", self.stopped.is_set)
        self.check()
        if self.faults.take("exit_at_node", node=class_type):
            raise Died
        if self.faults.take("out_of_memory", node=class_type):
            raise OutOfMemory
        failing = self.faults.take("fail_at_node", node=class_type)
        if failing is not None:
            raise RuntimeError(failing.message)


@dataclass
class Run:
    """The `NodeRun` of one call."""

    around: Surroundings
    item: Item
    told: Progress
    node_id: str

    @property
    def folders(self) -> Folders:
        return self.around.folders

    @property
    def generation(self) -> Generation:
        return self.around.generation

    @property
    def prompt(self) -> Mapping[str, Any]:
        return self.item.prompt

    @property
    def extra_pnginfo(self) -> Mapping[str, Any] | None:
        return self.item.extra_data.get("extra_pnginfo")

    def progress(
        self, value: int, total: int, preview: Image.Image | None = None, kind: str = "JPEG"
    ) -> None:
        self.around.check()
        self.told.update(self.node_id, value, total, preview, kind)

    def show_text(self, text: str) -> None:
        self.around.hub.send_text(text, self.node_id)

    def temp_prefix(self) -> str:
        letters = random.choices("abcdefghijklmnopqrstupvxyz", k=5)  # noqa: S311 - a file name, no secret
        return self.around.temp_names.setdefault(self.node_id, "ComfyUI_temp_" + "".join(letters))

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))
            self.around.faults.hold_thread("worker", self.around.stopped.is_set)
            self.around.check()
