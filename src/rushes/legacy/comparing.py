"""An old row beside what became of it, value by value."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rushes.legacy.dataset import in_order, item
from rushes.legacy.evidence import Found, Unit
from rushes.legacy.values import moment, text_of

_SHOWN = 300  # characters of a value
_TIMES = ("created_at", "completed_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that isn't what the rules say."""

    table: str
    row: str
    field: str
    wanted: Any
    found: Any

    def as_dict(self) -> dict[str, Any]:
        return {
            "table": self.table, "row": self.row, "field": self.field,
            "wanted": _short(self.wanted), "found": _short(self.found),
        }  # fmt: skip


def compared(unit: Unit, found: Found | None) -> Iterator[Difference]:
    """What differs; nothing when all is right."""

    def differs(name: str, wanted: Any, has: Any) -> Difference:
        return Difference(unit.table, unit.row, name, wanted, has)

    if found is None:
        yield differs("job", "a job", None)
        return
    for name, wanted in unit.wanted.items():
        has = found.job[name]
        if name in _TIMES:
            has = moment(has)
        elif name == "visibility" and wanted is None:
            continue  # its owner decides
        if has != wanted or type(has) is not type(wanted):
            yield differs(name, wanted, has)
    if found.job["legacy_row"] != unit.digest:
        yield differs("legacy_row", unit.digest, found.job["legacy_row"])
    if unit.table == "datasets":
        yield from _dataset(unit, found, differs)


def _dataset(unit: Unit, found: Found, differs: Any) -> Iterator[Difference]:
    if found.dataset is None:
        yield differs("dataset", "a row of caption_datasets", None)
        return
    content, has = unit.content, found.dataset
    settings = content.get("settings")
    wanted = {
        "id": unit.wanted["id"],
        "job_id": unit.wanted["id"],
        "name": text_of(content.get("name")) or "",
        "settings": {
            **(settings if isinstance(settings, dict) else {}),
            "character_trigger": content.get("character_trigger"),
        },
        "legacy_row": content,
    }
    for name, value in wanted.items():
        if has[name] != value:
            yield differs(f"dataset {name}", value, has[name])
    items: list[Any] = []
    for place, (row, told) in enumerate(in_order(unit.around.items), 1):
        image, caption, _ = item(row, told, unit.around.stored)
        items.append([row, place, image, caption, dict(told)])
    if has["items"] != items:
        yield differs("dataset items", items, has["items"])


def _short(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
