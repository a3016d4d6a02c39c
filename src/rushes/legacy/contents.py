"""Inputs and outputs of the job that an old row must have become."""

import json

from rushes.legacy.dataset import dataset
from rushes.legacy.reading import Reading, Wanted, described
from rushes.legacy.references import Reference, read
from rushes.legacy.values import basename


def contents(reading: Reading, kind: str) -> None:
    want = reading.want
    want |= {
        "comfyui_output_filename": None,
        "comfyui_output_subfolder": None,
        "comfyui_output_type": None,
        "prompt_text": None,
        "outputs": None,
        "result_urls": [],
    }
    if reading.table == "datasets":
        dataset(reading)
        return
    if reading.table == "multitalk_jobs":
        _multitalk(reading, kind)
    else:
        _picture(reading, kind)
    _result(reading)


def _named(name: str | None) -> Wanted | None:
    return {"kind": "name", "filename": name} if name else None


def _multitalk(reading: Reading, kind: str) -> None:
    content, want = reading.content, reading.want
    inputs: Wanted = {"video" if kind == "video-lipsync" else "image": _named(reading.told("image_filename"))}
    audio = reading.told("audio_filename")
    if audio and audio != "multiple_masks_audio":
        if kind == "lipsync-multi":
            inputs["speakers"] = [{"audio": _named(name)} for name in audio.split(", ") if name]
        else:
            inputs["audio"] = _named(audio)
    if kind != "img2img":
        inputs |= {
            side: content.get(side) if is_number(content.get(side)) else None for side in ("width", "height")
        }
    if kind in ("lipsync-one", "unknown"):
        inputs["trim_to_audio"] = content.get("trim_to_audio")
    want["inputs"] = {name: value for name, value in inputs.items() if value is not None}
    _multitalk_result(reading)


def _multitalk_result(reading: Reading) -> None:
    path = reading.present("filename")
    name = basename(path) if path else ""
    folder = reading.told("subfolder")
    if folder is None and path and name != path:
        folder = path[: len(path) - len(name) - 1]
    if name:
        reading.want["comfyui_output_filename"], reading.want["comfyui_output_subfolder"] = name, folder
    elif path:
        reading.wrong.add("unreadable_value")
    url = reading.told("video_url")
    reading.result = read(url)
    if reading.result and url:
        reading.result_file = reading.stored("video_url", url)
    elif name:
        server = reading.want["comfy_url"]
        source = {"kind": "comfyui", "type": None, "server": server, "filename": name, "subfolder": folder}
        reading.result = Reference(source)
        # as PostgreSQL writes it: short keys first
        reading.result_file = reading.stored("filename", json.dumps(source, ensure_ascii=False))


def _picture(reading: Reading, kind: str) -> None:
    prompt = reading.present("prompt")
    reading.want["prompt_text"] = prompt
    inputs: Wanted = {"prompt": prompt} if prompt else {}
    source = "source_image" if kind == "style-transfer" else "image"
    for name, slot in ((source, "source_image_url"), ("style_image", "style_image_url")):
        told = reading.told(slot)
        reference = read(told)
        if reference and told:
            reading.wrong.update(reference.wrong)
            if reference.kind == "lost":
                reading.wrong.add("lost_input")
            inputs[name] = described("filename", reference.name, reference.source, reading.stored(slot, told))
    reading.want["inputs"] = inputs
    url = reading.told("result_image_url")
    reading.result = read(url)
    if reading.result and url:
        reading.result_file = reading.stored("result_image_url", url)


def _result(reading: Reading) -> None:
    want, result = reading.want, reading.result
    status = want["status"]
    if result:
        reading.wrong.update(result.wrong)
    if result and result.kind == "comfyui":
        want["comfyui_output_filename"] = result.source["filename"]
        want["comfyui_output_subfolder"] = result.source["subfolder"]
        want["comfyui_output_type"] = result.source["type"]
        if status in ("completed", "failed"):
            reading.wrong.add("not_uploaded")
    if (result and result.kind == "lost") or (not result and status == "completed"):
        reading.wrong.add("missing_file")
    if status != "completed" and not (result and status in ("failed", "cancelled")):
        return
    files = [described("name", result.name, result.source, reading.result_file)] if result else []
    want["outputs"] = {"files": files, "texts": [], "reused": False}
    if result and reading.result_file:
        want["result_urls"] = [f"/storage/{reading.result_file['key']}"]


def is_number(value: object) -> bool:
    """A number as JSON has it."""
    return isinstance(value, int | float) and not isinstance(value, bool)
