"""The old tables: what is known of them, and how they are in a database."""

from collections.abc import Mapping
from dataclasses import dataclass

from rushes.legacy.queries import filled, query
from rushes.ports.legacy import LegacyStatements

ROW_BYTES = 64 * 1024**2
"""A row beyond it is carried over with its long values cut; `files` reads them where they are."""

ITEM_BYTES = 20_000
"""Of a dataset whose items have more than ROW_BYTES together, the values beyond it are cut."""

KEYS = {
    "multitalk_jobs": "job_id",
    "style_transfers": "id",
    "edited_images": "id",
    "datasets": "id",
    "data": "id",
}
UNITS = ("multitalk_jobs", "style_transfers", "edited_images", "datasets")
"""What becomes a job; the rows of `data` belong to their dataset."""

KNOWN = {
    "multitalk_jobs": (
        "job_id", "status", "timestamp_submitted", "timestamp_completed", "filename", "subfolder", "image_filename",
        "audio_filename", "width", "height", "trim_to_audio", "comfy_url", "error_message", "video_url",
        "created_at", "updated_at",
    ),
    "style_transfers": (
        "id", "created_at", "source_image_url", "style_image_url", "prompt", "result_image_url", "workflow_name",
        "model_used", "processing_time_seconds", "user_ip", "status", "comfyui_prompt_id", "error_message",
        "updated_at",
    ),
    "edited_images": (
        "id", "created_at", "source_image_url", "prompt", "result_image_url", "workflow_name", "model_used",
        "processing_time_seconds", "user_ip", "status",
    ),
    "datasets": ("id", "name", "character_trigger", "settings", "created_at", "updated_at"),
    "data": ("id", "dataset_id", "image_url", "image_name", "caption", "created_at"),
}  # fmt: skip
PHASE1 = ("workflow_type", "user_id")
"""Columns that phase 1 adds."""

ESSENTIAL = {
    "multitalk_jobs": ("job_id", "status"),
    "style_transfers": ("id", "status"),
    "edited_images": ("id", "status"),
    "datasets": ("id",),
    "data": ("id", "dataset_id"),
}
"""Without them no row can be told from another, or nobody knows what came of it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as it is; the expressions read its row `t`. Percent signs in them are doubled, for named parameters."""

    name: str
    relation: str
    rows: int  # as the planner guesses
    key_type: str | None
    columns: tuple[str, ...]
    size: str
    content: str

    @property
    def key(self) -> str:
        return KEYS[self.name]

    @property
    def missing(self) -> list[str]:
        return [name for name in KNOWN[self.name] if name not in self.columns]

    @property
    def added(self) -> list[str]:
        return [name for name in self.columns if name not in KNOWN[self.name] + PHASE1]

    @property
    def unusable(self) -> list[str]:
        """Columns without which it can't be taken over."""
        return [name for name in ESSENTIAL[self.name] if name not in self.columns]


async def shapes(database: LegacyStatements) -> dict[str, Shape]:
    """The old tables that are there."""
    found: dict[str, Shape] = {}
    for name, key in KEYS.items():
        for relation, rows, key_type, columns, size, whole, cut, is_view in await database.fetch(
            query("shape"), {"name": name, "key": key} | _limits(name)
        ):
            found[name] = Shape(
                name,
                relation,
                rows,
                key_type,
                tuple(columns),
                _quoted(size),
                _quoted(_shown(name) if is_view else _content(name, relation, size, whole, cut)),
            )
    return found


def _limits(name: str) -> dict[str, int]:
    """A value is cut beyond its share of `most`, but none that has no more bytes than `least`."""
    return {"most": 0, "least": ITEM_BYTES} if name == "data" else {"most": ROW_BYTES, "least": 1_000_000}


def _content(name: str, relation: str, size: str, whole: str, cut: str) -> str:
    fits = f"{size} <= {ROW_BYTES}"
    if name == "data":
        # a dataset is taken in with all of its items; items_of.sql says which is `w.dataset`
        together = f"(SELECT sum({size}) FROM {relation} AS t WHERE t.dataset_id = w.dataset)"  # noqa: S608  # expressions and identifiers of the catalog's
        fits = f"({size} <= {ITEM_BYTES} OR {together} <= {ROW_BYTES})"
    return f"CASE WHEN {fits} AND {whole} THEN to_jsonb(t) ELSE {cut} END"


def _shown(name: str) -> str:
    """A view shows what there is; which of it was cut stands beside its job."""
    marked = filled("shape_cut_job" if name in UNITS else "shape_cut_item", name=name, key=KEYS[name])
    return f"to_jsonb(t) || coalesce(({marked}), '{{}}')"


def size_of(tables: Mapping[str, Shape], name: str) -> str:
    """A row's bytes; a dataset's with its items."""
    shape = tables[name]
    if name != "datasets" or "data" not in tables:
        return shape.size
    items = tables["data"]
    # `t` is the item inside and the dataset outside, so the id goes by a column of its own
    inner = filled("item_sizes", size=items.size, relation=items.relation)
    return f"{shape.size} + (SELECT coalesce(sum(i.size), 0) FROM ({inner}) AS i WHERE i.dataset_id = t.id)"  # noqa: S608  # the same


def _quoted(expression: str) -> str:
    return expression.replace("%", "%%")
