"""POST /upload/image and /upload/mask: names, duplicates, and what is refused."""

import hashlib
import json
import os
from pathlib import Path

from PIL import Image
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from rushes.testing.comfyui.answers import Json, empty
from rushes.testing.comfyui.folders import KINDS, is_within, normal
from rushes.testing.comfyui.instance import Instance


class UploadRoutes:
    """Files into the folders. What raises is a 500, as in the real server."""

    def __init__(self, instance: Instance) -> None:
        self._folders = instance.folders

    async def image(self, request: Request) -> Response:
        """Store the file in the field `image`, whatever it holds."""
        async with request.form() as form:
            return await self._store(form)

    async def mask(self, request: Request) -> Response:
        """Store the picture named by original_ref with the alpha of the uploaded one."""
        async with request.form() as form:
            answer = await self._store(form)
            if answer.status_code == 200:
                self._apply_mask(json.loads(str(form["original_ref"])), json.loads(bytes(answer.body)))
            return answer

    async def _store(self, form: FormData) -> Response:
        kind = str(form.get("type", "input"))
        if kind not in KINDS:
            raise KeyError(kind)
        upload = form.get("image")
        if upload is None:
            return empty(400)
        if not isinstance(upload, UploadFile):
            raise TypeError("image is a text field")
        name, subfolder = upload.filename or "", str(form.get("subfolder", ""))
        folder, root = normal(self._folders[kind] / subfolder), self._folders[kind]
        if not name or not is_within(folder, root) or not is_within(folder / name, root):
            return empty(400)
        overwrite = str(form.get("overwrite", "")) in ("true", "1")
        name = _write(folder, name, await upload.read(), overwrite=overwrite)
        return Json({"name": name, "subfolder": subfolder, "type": kind})

    def _apply_mask(self, original: dict[str, str], stored: dict[str, str]) -> None:
        kind = original.get("type", "output")
        source = self._folders[kind] / original.get("subfolder", "") / original["filename"]
        target = self._folders[stored["type"]] / stored["subfolder"] / stored["name"]
        with Image.open(source) as picture, Image.open(target) as mask:
            merged = picture.convert("RGBA")
            merged.putalpha(mask.convert("RGBA").getchannel("A"))
        merged.save(target, format="PNG", compress_level=4)


def _write(folder: Path, name: str, content: bytes, *, overwrite: bool) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    name = name if overwrite else _free_name(folder, name, content)
    (folder / name).write_bytes(content)
    return name


def _free_name(folder: Path, name: str, content: bytes) -> str:
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a name, which may be no proper path
    digest = hashlib.sha256(content).digest()
    count = 0
    while (folder / name).exists():
        if hashlib.sha256((folder / name).read_bytes()).digest() == digest:
            return name
        count += 1
        name = f"{stem} ({count}){ending}"
    return name
