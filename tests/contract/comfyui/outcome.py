"""What a file or an answer amounts to, so that two servers can be compared: shapes, probes and a rough look."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import Image

from tests.contract.comfyui.api import Comfy

_NUMBER = re.compile(r"_\d{5}(?=[_.])")
_PATH = re.compile(r"/.*", re.DOTALL)
"""A path of the server's machine, and what follows it."""
_TEMP = re.compile(r"_temp_[a-z]{5}")


def name_pattern(filename: str) -> str:
    """`x_00012_.png` → `x_N_.png`; the random part of preview names is dropped."""
    return _TEMP.sub("_temp_X", _NUMBER.sub("_N", filename))


def files_of(outputs: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Node, key and item of every file."""
    for node, shown in outputs.items():
        for key, items in shown.items():
            for item in items:
                if isinstance(item, dict) and "filename" in item:
                    yield node, key, item


def outputs_shape(outputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs with numbers taken out of file names."""
    return {
        node: {
            key: [
                item | {"filename": name_pattern(item["filename"])}
                if isinstance(item, dict) and "filename" in item
                else item
                for item in items
            ]
            for key, items in shown.items()
        }
        for node, shown in outputs.items()
    }


def shape(value: Any) -> Any:
    """Only keys and types."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )


def _opened(content: bytes) -> InputContainer:
    container = av.open(BytesIO(content))
    assert isinstance(container, InputContainer)
    return container


def probe(content: bytes) -> dict[str, Any]:
    """Container, streams, duration and names of tags, in the form of the recordings."""
    with _opened(content) as container:
        streams: list[dict[str, Any]] = []
        for stream in container.streams:
            found: dict[str, Any] = {"type": stream.type, "codec": stream.codec_context.name}
            if isinstance(stream, VideoStream):
                found |= {
                    "w": stream.width,
                    "h": stream.height,
                    "rate": str(stream.average_rate),
                    "frames": stream.frames,
                }
            elif isinstance(stream, AudioStream):
                found |= {"rate": stream.rate, "ch": stream.channels}
            streams.append(found)
        return {
            "format": container.format.name,
            "duration_s": round((container.duration or 0) / 1e6, 3),
            "streams": streams,
            "metadata_keys": list(container.metadata),
        }


def embedded_keys(content: bytes) -> set[str]:
    """Which of prompt and workflow a picture carries."""
    with Image.open(BytesIO(content)) as image:
        exif = [str(value).split(":", 1)[0] for value in image.getexif().values()]
        return {"prompt", "workflow"} & {*image.info, *exif}


def look(content: bytes) -> dict[str, Any]:
    """A rough look: colours of a 6x6 picture of some frames, loudness of ten parts of the sound."""
    try:
        with Image.open(BytesIO(content)) as image:
            frames = getattr(image, "n_frames", 1)
            return {"size": list(image.size), "frames": frames, "colours": [_colours(image.convert("RGB"))]}
    except OSError:
        return _look_at_media(content)


def _look_at_media(content: bytes) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    with _opened(content) as container:
        if container.streams.video:
            pictures = [frame.to_image() for frame in container.decode(video=0)]
            middle = len(pictures) // 2
            seen |= {
                "size": list(pictures[0].size),
                "frames": len(pictures),
                "colours": [_colours(pictures[at]) for at in (0, middle, -1)],
            }
    with _opened(content) as container:
        if container.streams.audio:
            rate = container.streams.audio[0].rate
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            parts = [
                part.to_ndarray() for frame in container.decode(audio=0) for part in resampler.resample(frame)
            ]
            wave = np.concatenate(parts, axis=1)[0]
            loud = [
                float(np.sqrt(np.mean(np.square(part)))) if len(part) else 0.0
                for part in np.array_split(wave, 10)
            ]
            seen |= {"seconds": round(len(wave) / rate, 2), "loudness": [round(level, 3) for level in loud]}
    return seen


def _colours(image: Image.Image) -> list[int]:
    return list(image.convert("RGB").resize((6, 6), Image.Resampling.BOX).tobytes())


def assert_looks_alike(seen: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The same sizes, and nearly the same colours and loudness."""
    assert set(seen) == set(wanted)
    for exact in ("size", "frames"):
        assert seen.get(exact) == wanted.get(exact)
    for mine, theirs in zip(seen.get("colours", []), wanted.get("colours", []), strict=True):
        distance = np.abs(np.array(mine) - np.array(theirs))
        assert distance.mean() < 6, (mine, theirs)
        assert distance.max() < 48, (mine, theirs)
    assert abs(seen.get("seconds", 0) - wanted.get("seconds", 0)) <= 0.1
    assert np.allclose(seen.get("loudness", []), wanted.get("loudness", []), atol=0.04)


def run_outcome(comfy: Comfy, prompt: dict[str, Any]) -> dict[str, Any]:
    """What comes of a prompt on this server, comparably."""
    run = comfy.submit(prompt)
    if run.status_code != 200:
        return refusal_outcome(run.status_code, run.post)
    entry = comfy.entry(run.prompt_id)
    errors = [data for kind, data in entry["status"]["messages"] if kind == "execution_error"]
    outputs = dict(sorted(entry["outputs"].items()))
    return {
        "status": entry["status"]["status_str"],
        "error": [
            [data["exception_type"], _PATH.sub("/…", data["exception_message"]), data["node_type"]]
            for data in errors
        ],
        "outputs": outputs_shape(outputs),
        "looks": [
            look(comfy.view(item).content)
            for _, key, item in files_of(outputs)
            if key not in ("latents", "files")
        ],
    }


def refusal_outcome(status: int, body: Any) -> dict[str, Any]:
    """A refusal without tracebacks, its errors sorted (the real server's order is a set's)."""
    if not isinstance(body, dict):
        return {"status": status, "body": body}
    for found in body.get("node_errors", {}).values():
        for error in found["errors"]:
            error["extra_info"].pop("traceback", None)
        found["errors"].sort(key=lambda error: (error["type"], error["details"]))
        found["dependent_outputs"].sort()
    body["error"]["extra_info"].pop("traceback", None)
    return {"status": status, "body": body}
