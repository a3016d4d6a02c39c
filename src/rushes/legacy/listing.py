"""Every old row and what it became, as a CSV file."""

import csv
from typing import TextIO

from rushes.legacy.evidence import Found, Unit

COLUMNS = (
    "legacy_table", "legacy_id", "workflow_type", "type_rule", "status", "error_code", "job_id", "comfy_url",
    "completed", "processing_time_seconds", "result_kind", "anomalies",
)  # fmt: skip


class Listing:
    """Writes a line a row; pass it to `verify` as `each`. A row without a job has empty columns."""

    def __init__(self, file: TextIO) -> None:
        self._lines = csv.writer(file, lineterminator="\n")
        self._lines.writerow(COLUMNS)

    def __call__(self, unit: Unit, found: Found | None) -> None:
        self._lines.writerow([unit.table, unit.row, *(_told(found) if found else [""] * 10)])


def _told(found: Found) -> list[object]:
    job = found.job
    legacy = job["metadata"] or {}
    seconds = job["processing_time_seconds"]
    return [
        job["workflow_type"],
        legacy.get("type_rule"),
        job["status"],
        job["error_code"] or "",
        job["job_id"],
        job["comfy_url"] or "",
        "no" if job["completed_at"] is None else "yes",
        "" if seconds is None else seconds,
        legacy.get("result_kind") or "",
        "|".join(legacy.get("anomalies", [])),
    ]
