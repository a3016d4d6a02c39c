"""`inspect`: what there is to take over, and everything odd about it. Reads only."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.legacy.by_hand import by_hand
from rushes.legacy.claimed import advice, claimed
from rushes.legacy.evidence import Evidence, shared_prompts
from rushes.legacy.objects import Objects
from rushes.legacy.queries import filled, query
from rushes.legacy.reading import Content, Surroundings, Wanted
from rushes.legacy.rules import wanted
from rushes.legacy.tables import KEYS, PHASE1, UNITS, Shape, shapes
from rushes.legacy.transfer import Progress
from rushes.legacy.values import moment, text_of
from rushes.ports.legacy import LegacyDatabase

BATCH_ROWS = 1000
BATCH_BYTES = 16 * 1024**2
EXAMPLES = 5
ROWS_PER_SECOND = 4000
"""What `migrate` does on a small machine; for the estimate."""
_KNOWN_STATUS = {
    "multitalk_jobs": ("submitted", "processing", "completed", "error"),
    "style_transfers": ("pending", "processing", "completed", "failed"),
    "edited_images": ("pending", "processing", "completed", "failed"),
}


@dataclass(slots=True)
class Inspection:
    """What was found."""

    server: str = ""
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # in words, with what to do
    by: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # table, type, status
    rules: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, Counter[str]] = field(default_factory=dict)  # as the old app wrote them
    anomalies: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    months: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    objects: dict[str, Any] | None = None
    seconds: float = 0

    def as_dict(self) -> dict[str, Any]:
        rows = sum(one.get("rows", 0) for name, one in self.tables.items() if name in UNITS)
        return {
            "server": self.server,
            "tables": self.tables,
            "absent": self.absent,
            "problems": self.problems,
            "by": [
                {"table": table, "type": kind, "status": status, "count": count}
                for (table, kind, status), count in sorted(self.by.items())
            ],
            "rules": dict(self.rules),
            "old_statuses": {name: dict(counts) for name, counts in self.statuses.items()},
            "anomalies": dict(self.anomalies.most_common()),
            "examples": self.examples,
            "months": dict(sorted(self.months.items())),
            "files": dict(self.files.most_common()),
            "objects": self.objects,
            "rows": rows,
            "estimate": {
                "migrate_seconds": round(rows / ROWS_PER_SECOND, 1),
                "rows_per_second": ROWS_PER_SECOND,
            },
            "seconds": round(self.seconds, 3),
        }


async def inspect(
    source: LegacyDatabase,
    *,
    stale_seconds: float = 86_400,
    progress: Progress = lambda _table, _done, _total: None,
) -> Inspection:
    """Look at every row; `stale_seconds` as for `migrate`."""
    began = time.monotonic()
    about = (await source.fetch(query("inspect_tables")))[0][0]
    tables = await shapes(source)
    found = Inspection(server=about["server"])
    _describe(found, about, tables)
    found.problems += await by_hand(source)
    if about["is_installation"] and (ids := await claimed(source, source, tables)):
        found.problems.append(advice(ids))
    usable = {name: shape for name, shape in tables.items() if not shape.unusable}
    evidence = Evidence(
        usable,
        about["now_micros"] - int(stale_seconds * 1_000_000),
        "private",
        await shared_prompts(source, usable),
    )
    objects = Objects(source) if about["has_objects"] else None
    for name in UNITS:
        if name in usable:
            await _table(source, evidence, name, found, objects, progress)
    if objects:
        found.objects = objects.as_dict()
    _odd_statuses(found)
    found.seconds = time.monotonic() - began
    return found


def _describe(found: Inspection, about: Mapping[str, Any], tables: Mapping[str, Shape]) -> None:
    for name in KEYS:
        shape, more = tables.get(name), about["tables"].get(name)
        if shape is None:
            found.absent.append(name)
            continue
        found.tables[name] = {
            "relation": shape.relation,
            "rows": 0,
            "bytes": more["bytes"] if more else None,
            "missing": shape.missing,
            "added": shape.added,
            "phase1": [column for column in PHASE1 if column in shape.columns],
            "triggers": more["triggers"] if more else [],
        }
        found.problems += _problems(shape, more)
    found.problems += [
        f"There is a view {name} where a table is expected: the cut-over has been made already."
        for name in about["cut_over"]
    ]
    found.problems += [
        f"{name} looks like an earlier attempt by hand. migrate leaves it alone; drop it when nobody needs it."
        for name in about["copies"]
    ]
    if not tables:
        found.problems.append(
            "None of the old tables is in this database: name the one that has them by --source."
        )


def _problems(shape: Shape, more: Mapping[str, Any] | None) -> list[str]:
    told: list[str] = []
    if shape.unusable:
        told.append(
            f"{shape.relation} has no column {', '.join(shape.unusable)}: migrate stops before touching anything. "
            "Rename the column back, or move the table aside."
        )
    elif shape.missing:
        told.append(f"{shape.relation} lacks {', '.join(shape.missing)}: taken as NULL.")
    if shape.added:
        told.append(f"{shape.relation} has {', '.join(shape.added)} besides: kept in legacy_row, not used.")
    if more and not more["has_key"]:
        told.append(
            f"{shape.relation} has no primary key: make one, or every batch reads the whole table "
            f"(ALTER TABLE {shape.relation} ADD PRIMARY KEY ({shape.key}))."
        )
    return told


async def _table(
    source: LegacyDatabase,
    evidence: Evidence,
    name: str,
    found: Inspection,
    objects: Objects | None,
    progress: Progress,
) -> None:
    shape = evidence.tables[name]
    total = int((await source.fetch(filled("count", relation=shape.relation)))[0][0])
    last: str | None = None
    while True:
        after = "true" if last is None else f"t.{shape.key} > %(after)s::{shape.key_type}"
        bounds = await source.fetch(
            filled("batch_bounds", key=shape.key, relation=shape.relation, size=shape.size, range=after),
            {"after": last, "most": BATCH_ROWS, "bytes": BATCH_BYTES},
        )
        if not bounds:
            return
        within = f"{after} AND t.{shape.key} <= %(last)s::{shape.key_type}"
        params = {"after": last, "last": bounds[0][0]}
        places = {"name": name, "key": shape.key, "relation": shape.relation, "range": within}
        rows = await source.fetch(filled("rows_of", **places, content=shape.content), params)
        items = await evidence.items(source, name, within, params)
        if "data" in found.tables:
            found.tables["data"]["rows"] += sum(len(some) for some in items.values())
        for _, row, content in rows:
            around = Surroundings(
                stale_before=evidence.stale_before, shared=evidence.shared, items=items.get(row, ())
            )
            _count(found, name, row, content, wanted(name, row, content, around), objects)
        if objects:
            await objects.look()
        last = bounds[0][0]
        found.tables[name]["rows"] += len(rows)
        progress(name, found.tables[name]["rows"], total)


def _count(
    found: Inspection, name: str, row: str, content: Content, job: Wanted, objects: Objects | None
) -> None:
    found.by[name, job["workflow_type"], job["status"]] += 1
    found.rules[job["metadata"]["type_rule"]] += 1
    if name in _KNOWN_STATUS:
        found.statuses.setdefault(name, Counter())[str(text_of(content.get("status")))] += 1
    for anomaly in job["metadata"]["anomalies"]:
        found.anomalies[anomaly] += 1
        some = found.examples.setdefault(anomaly, [])
        if len(some) < EXAMPLES:
            some.append(f"{name} {row}")
    created = text_of(content.get("created_at")) or ""
    found.months[created[:7] if moment(created) is not None else "none"] += 1
    for file in named_files(job):
        found.files[file["kind"]] += 1
        if objects and file["kind"] == "storage":
            objects.ask(file["bucket"], file["path"], f"{name} {row}")


def named_files(job: Wanted) -> list[Wanted]:
    """Every file that a job's inputs and outputs name."""
    found: list[Wanted] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "kind" in value and ("filename" in value or "name" in value):
                found.append(value)
                return
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(job["inputs"])
    walk((job["outputs"] or {}).get("files", []))
    return found


def _odd_statuses(found: Inspection) -> None:
    for name, counts in found.statuses.items():
        odd = {status: count for status, count in counts.items() if status not in _KNOWN_STATUS[name]}
        if odd:
            told = ", ".join(f"{status!r} ({count:,})" for status, count in sorted(odd.items()))
            found.problems.append(
                f"{name} has statuses that the old app never wrote: {told}. 'cancelled' and 'error' keep their "
                "meaning; any other becomes failed, with the anomaly unreadable_value, and stays in legacy_row."
            )
