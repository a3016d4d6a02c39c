"""The old tables: what is known of them, and how they are in a database."""

from dataclasses import dataclass

from rushes.legacy.queries import query
from rushes.ports.legacy import LegacyStatements

ROW_BYTES = 64 * 1024**2
"""A row beyond it is carried over with its long values cut; `files` reads them where they are."""

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
        for relation, rows, key_type, columns, size, whole, cut in await database.fetch(
            query("shape"), {"name": name, "key": key, "most": ROW_BYTES}
        ):
            found[name] = Shape(
                name,
                relation,
                rows,
                key_type,
                tuple(columns),
                _quoted(size),
                _quoted(f"CASE WHEN {size} <= {ROW_BYTES} AND {whole} THEN to_jsonb(t) ELSE {cut} END"),
            )
    return found


def _quoted(expression: str) -> str:
    return expression.replace("%", "%%")
