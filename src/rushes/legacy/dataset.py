"""A dataset with its items, in Python: the job that it must have become."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rushes.legacy.reading import Content, Reading, Wanted, described
from rushes.legacy.references import read
from rushes.legacy.values import digest_of, moment, natural, text_of


def in_order(items: Sequence[tuple[str, Content]]) -> list[tuple[str, Content]]:
    """By time, then by name as people count."""

    def place(item: tuple[str, Content]) -> tuple[float, str, str, str]:
        when, name = moment(item[1].get("created_at")), text_of(item[1].get("image_name")) or ""
        return (math.inf if when is None else when, natural(name), name, item[0])

    return sorted(items, key=place)


def item(row: str, content: Content, stored: Mapping[str, Any]) -> tuple[Wanted, str | None, set[str]]:
    """An item's image and caption, and what is wrong with them."""
    url, caption = text_of(content.get("image_url")), text_of(content.get("caption")) or None
    reference = read(url)
    wrong = set(reference.wrong) if reference else {"missing_file"}
    found = stored.get(row)
    file = found["file"] if found and url and found["source"] == digest_of(url) else None
    if reference and reference.kind == "lost":
        wrong.add("lost_input")
    if "rushes:cut" in content:
        wrong.add("unreadable_value")
    if caption is None:
        wrong.add("missing_caption")
    elif caption == "Error generating caption" or "ComfyUI processing failed:" in caption:
        wrong.add("failed_caption")
        caption = None
    if content.get("created_at") is not None and moment(content["created_at"]) is None:
        wrong.add("bad_times")
    source = reference.source if reference else {"kind": "name"}
    return described("filename", text_of(content.get("image_name")), source, file), caption, wrong


def dataset(reading: Reading) -> None:
    settings = reading.content.get("settings")
    if not isinstance(settings, dict):
        reading.wrong.add("unreadable_value")
        settings = {}
    images, texts = [], []
    for place, (row, content) in enumerate(in_order(reading.around.items), 1):
        image, caption, wrong = item(row, content, reading.around.stored)
        images.append(image)
        reading.wrong |= wrong
        if caption is not None:
            texts.append({"name": "caption", "item": place, "text": caption})
    said = {
        "trigger_word": reading.content.get("character_trigger"),
        "max_tokens": settings.get("max_new_tokens"),
    }
    names = ("caption_type", "caption_length", "user_prompt", "temperature", "top_p")
    inputs = _without_null(said | {name: settings.get(name) for name in names})
    reading.want["inputs"] = {**inputs, "images": images}
    reading.want["prompt_text"] = reading.present("name")
    reading.want["outputs"] = {"files": [], "texts": texts, "reused": False}


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(inner) for name, inner in value.items() if inner is not None}
    return [_without_null(inner) for inner in value] if isinstance(value, list) else value
