"""What the server says about itself: /object_info, /system_stats, /features, /models and the rest."""

import os
import platform
import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.testing.comfyui.answers import Json, empty
from rushes.testing.comfyui.definitions import Definition
from rushes.testing.comfyui.instance import Instance
from rushes.testing.comfyui.nodes import NODES

_MEMORY = 24 * 1024**3
_ENDINGS = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"),
    "audio": (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".mp4", ".webm"),
    "video": (".mp4", ".webm", ".mkv", ".mov", ".gif", ".avi"),
    "latent": (".latent",),
}


class AboutRoutes:
    """Read-only facts."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def object_info(self, _: Request) -> Response:
        """GET /object_info: the classes this server executes, with the files its loaders may choose."""
        return Json({one.class_type: self._described(one) for one in self._instance.catalogue})

    async def one_object_info(self, request: Request) -> Response:
        """GET /object_info/{class}; {} for an unknown one."""
        found = self._instance.catalogue.get(request.path_params["class_type"])
        return Json({} if found is None else {found.class_type: self._described(found)})

    def _described(self, one: Definition) -> dict[str, Any]:
        node = NODES[one.class_type]
        raw = dict(one.raw)
        if node.file_input is None or one.class_type == "LoadImageOutput":
            return raw
        kind, *extra = raw["input"]["required"][node.file_input]
        files = self._input_files(_ENDINGS[node.file_word])
        config = [files, *extra] if isinstance(kind, list) else [kind, {**extra[0], "options": files}]
        required = {**raw["input"]["required"], node.file_input: config}
        return raw | {"input": {**raw["input"], "required": required}}

    def _input_files(self, endings: tuple[str, ...]) -> list[str]:
        with os.scandir(self._instance.folders["input"]) as entries:
            names = [entry.name for entry in entries if entry.is_file()]
        return sorted(name for name in names if name.lower().endswith(endings))

    async def system_stats(self, _: Request) -> Response:
        """GET /system_stats."""
        system = {
            **self._instance.generation.system,
            "ram_total": _MEMORY,
            "ram_free": _MEMORY // 2,
            "comfyui_version": self._instance.generation.version,
            "python_version": sys.version,
            "pytorch_version": "none (demo server)",
            "embedded_python": False,
            "argv": ["main.py", "--cpu"],
        }
        device = {
            "name": platform.processor() or "cpu",
            "type": "cpu",
            "index": None,
            "vram_total": _MEMORY,
            "vram_free": _MEMORY // 2,
            "torch_vram_total": _MEMORY,
            "torch_vram_free": _MEMORY // 2,
        }
        return Json({"system": system, "devices": [device]})

    async def features(self, _: Request) -> Response:
        """GET /features."""
        limit = {"max_upload_size": self._instance.setup.max_upload_size}
        return Json(self._instance.generation.features | limit)

    async def models(self, _: Request) -> Response:
        """GET /models: the kinds of model folders."""
        return Json(list(self._instance.generation.model_folders))

    async def model_folder(self, request: Request) -> Response:
        """GET /models/{folder}: always empty here."""
        known = request.path_params["folder"] in self._instance.generation.model_folders
        return Json([]) if known else empty(404)

    async def nothing(self, _: Request) -> Response:
        """GET /embeddings, /extensions."""
        return Json([])
