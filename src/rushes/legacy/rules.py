"""The row rules of a takeover, written independently of the migrator's SQL: what each old row must have become."""

import math
import re

from rushes.legacy.contents import contents
from rushes.legacy.dataset import in_order
from rushes.legacy.reading import Content, Reading, Surroundings, Wanted
from rushes.legacy.references import IMAGE, read
from rushes.legacy.values import DAY, SMALL, basename, job_uuid, moment, text_of

_PREFIXES = (
    ("lipsync-multi", ("wanvideo2_1_multitalk_multiple", "multitalk_multiple_video", "lipsync_multiple")),
    ("lipsync-one", ("lipsync1person", "wanvideo2_1_multitalk", "wanvideo2_1_infinitetalk")),
    ("video-lipsync", ("videolipsync", "animatediff", "lipsyncv2v")),
    ("wan-i2v", ("wani2v", "wan_", "wan0")),
    ("img2img", ("img2img_",)),
)
_VIDEO = re.compile(r"\.(?:mp4|mov|webm|mkv|avi|m4v)\Z", re.IGNORECASE | re.ASCII)
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SECONDS = re.compile(r"\d{1,9}(\.\d+)?", re.ASCII)
_GIVEN = re.compile(r"legacy:(?:multitalk_jobs|style_transfers|edited_images|datasets):")
_IMG2IMG_SINCE = 1_762_646_400_000_000  # 2025-11-09 UTC
_TIMEOUTS = ("Job timed out - likely cancelled or failed", "Job exceeded maximum runtime (4 hours)")
_OPEN = {"submitted": "pending", "pending": "pending", "processing": "processing"}
_STALE = "Nobody recorded how this job ended."


def wanted(table: str, row: str, content: Content, around: Surroundings) -> Wanted:
    """Each column of the job that the row must have become; times in microseconds since 1970."""
    reading = Reading(table, row, content, around)
    kind, rule = type_of(table, content)
    if around.unknown_owner or "rushes:cut" in content or (rule != "column" and content.get("workflow_type")):
        reading.wrong.add("unreadable_value")
    if kind == "unknown":
        reading.wrong.add("unknown_type")
    _identify(reading, kind)
    _times(reading)
    old = _status(reading)
    contents(reading, kind)
    reading.want["id"] = job_uuid(table, row, reading.want["created_at"])
    reading.want["metadata"] = {
        "type_rule": rule,
        "status": old,
        "result_kind": reading.result.kind if reading.result else None,
        "anomalies": sorted(reading.wrong),
    }
    return reading.want


def type_of(table: str, content: Content) -> tuple[str, str]:
    """The workflow type and the rule that found it."""
    column = text_of(content.get("workflow_type"))
    if column and _TYPE.fullmatch(column):
        return column, "column"
    match table:
        case "multitalk_jobs":
            return _multitalk_type(content)
        case "style_transfers":
            return "style-transfer", "table"
        case "datasets":
            return "character-caption", "table"
    if content.get("workflow_name") == "StyleTransfer":
        return "style-transfer", "workflow_name"
    return "image-edit", "table"


def _multitalk_type(content: Content) -> tuple[str, str]:
    name = basename(text_of(content.get("filename")) or "").translate(SMALL)
    for kind, prefixes in _PREFIXES:
        if name.startswith(prefixes):
            return kind, "prefix"
    audio = text_of(content.get("audio_filename")) or ""
    if audio == "multiple_masks_audio" or ", " in audio:
        return "lipsync-multi", "audio-marker"
    if _VIDEO.search(text_of(content.get("image_filename")) or ""):
        return "video-lipsync", "video-input"
    if IMAGE.search(name) or IMAGE.search(_object_path(text_of(content.get("video_url")) or "")):
        return "img2img", "image-output"
    if audio:
        return "lipsync-one", "audio"
    if text_of(content.get("trim_to_audio")) != "false":
        return "unknown", "unknown"
    square = text_of(content.get("width")) == text_of(content.get("height")) == "512"
    submitted = moment(content.get("timestamp_submitted"))
    submitted = moment(content.get("created_at")) if submitted is None else submitted
    late = submitted is not None and submitted >= _IMG2IMG_SINCE
    return ("img2img" if square and late else "wan-i2v"), "no-audio"


def _object_path(url: str) -> str:
    reference = read(url) if "/storage/v1/object/" in url else None
    return reference.source.get("path", "") if reference else ""


def _identify(reading: Reading, kind: str) -> None:
    table, row, around = reading.table, reading.row, reading.around
    job_id = f"legacy:{table}:{row}"
    prompt = reading.present("comfyui_prompt_id") if table == "style_transfers" else None
    if prompt in around.shared:
        reading.wrong.add("duplicate_prompt_id")
    if table == "multitalk_jobs":
        prompt = row or None
    if prompt and _GIVEN.match(prompt):
        reading.wrong.add("unreadable_value")
    elif prompt and "duplicate_prompt_id" not in reading.wrong:
        job_id = prompt
    ip, model = reading.present("user_ip"), reading.present("model_used")
    failed_model = table == "edited_images" and (model or "").startswith("Error: ")
    reading.want |= {
        "job_id": job_id,
        "user_id": around.owner,
        "visibility": around.visibility if around.owner is None else None,
        "origin": "legacy",
        "workflow_type": kind,
        "workflow_name": reading.present("workflow_name") or "unknown",
        "comfy_url": (reading.told("comfy_url") or "").rstrip("/") or None,
        "user_ip": None if ip == "unknown" else ip,
        "model_used": None if failed_model else model,
    }


def _times(reading: Reading) -> None:
    content, want = reading.content, reading.want
    moments = {
        name: moment(content.get(name)) for name in ("created_at", "timestamp_submitted", "updated_at")
    }
    if any(value is None and content.get(name) is not None for name, value in moments.items()):
        reading.wrong.add("bad_times")
    created = moments["created_at"]
    if created is None:
        created = moments["timestamp_submitted"]
    if created is None and reading.table == "datasets":
        created = next((moment(item.get("created_at")) for _, item in in_order(reading.around.items)), None)
    if created is None:
        reading.wrong.add("bad_times")
    want["created_at"] = created or 0
    want["completed_at"] = want["processing_time_seconds"] = None
    if reading.table == "multitalk_jobs":
        _run(reading, moments["timestamp_submitted"])
    else:
        _seconds(reading)
    updated = moments["updated_at"]
    if updated is None:
        updated = want["completed_at"]
    want["updated_at"] = want["created_at"] if updated is None else updated


def _run(reading: Reading, submitted: int | None) -> None:
    if reading.content.get("timestamp_completed") is None:
        return
    completed = moment(reading.content["timestamp_completed"])
    if completed is not None and submitted is not None and 0 <= completed - submitted <= DAY:
        reading.want["completed_at"] = completed
        reading.want["processing_time_seconds"] = (completed - submitted) // 1_000_000
    else:
        reading.wrong.add("bad_times")


def _seconds(reading: Reading) -> None:
    told = reading.told("processing_time_seconds")
    if told is None:
        return
    if _SECONDS.fullmatch(told) and float(told) <= 86_400:
        reading.want["processing_time_seconds"] = math.floor(float(told))
    else:
        reading.wrong.add("bad_times")


def _status(reading: Reading) -> str | None:
    want = reading.want
    old = None if reading.table == "datasets" else reading.told("status")
    want["error_code"] = want["error_message"] = None
    if reading.table == "datasets" or old in ("completed", "cancelled"):
        want["status"] = old or "completed"
    elif old in _OPEN:
        stale = want["created_at"] < reading.around.stale_before
        want["status"] = "failed" if stale else _OPEN[old]
        if stale:
            _error(reading, stale=True)
        else:
            want["completed_at"] = want["processing_time_seconds"] = None
    else:
        want["status"] = "failed"
        _error(reading, stale=False)
        if old not in ("failed", "error"):
            reading.wrong.add("unreadable_value")
    return old


def _error(reading: Reading, *, stale: bool) -> None:
    message = reading.present("error_message")
    if message is None and reading.table == "edited_images":
        model = reading.told("model_used") or ""
        message = model if model.startswith("Error: ") else None
    message = (message or "").removeprefix("Error: ") or None
    code = "legacy_timeout" if message in _TIMEOUTS else "legacy_error"
    reading.want["error_code"] = "legacy_stale" if stale else code
    reading.want["error_message"] = message or (_STALE if stale else None)
