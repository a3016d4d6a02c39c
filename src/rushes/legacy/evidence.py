"""What `verify` compares: batches of old rows, what the rules make of them, and what is in workflow_jobs."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import md5
from operator import itemgetter
from typing import Any, Self

from rushes.legacy.pace import Pace
from rushes.legacy.queries import filled, query
from rushes.legacy.reading import Content, Surroundings, Wanted
from rushes.legacy.rules import wanted
from rushes.legacy.tables import Shape
from rushes.legacy.values import moment, text_of
from rushes.ports.legacy import LegacyDatabase

BATCH_ROWS, GENTLE_BATCH_ROWS = 1000, 20
REST = 3.0  # times as long as a step, while the old app writes
BATCH_BYTES = 16 * 1024**2
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PLAIN = (
    "id", "job_id", "user_id", "origin", "workflow_type", "workflow_name", "comfy_url", "user_ip", "model_used",
    "processing_time_seconds", "status", "error_code", "error_message", "comfyui_output_filename",
    "comfyui_output_subfolder", "comfyui_output_type", "prompt_text",
)  # fmt: skip
_TIMES = ("created_at", "completed_at", "updated_at")
_NESTED = ("outputs", "result_urls", "inputs", "metadata")
_COLUMNS = (*_PLAIN, "visibility", *_TIMES, "legacy_row")
_plain, _times, _nested = itemgetter(*_PLAIN), itemgetter(*_TIMES), itemgetter(*_NESTED)
_decode = json.JSONDecoder().raw_decode
_moment = lru_cache(1000)(moment)  # a row says the same one more than once
_DATASET = ("id", "job_id", "name", "settings", "created_at", "legacy_row", "items")


@dataclass(frozen=True, slots=True)
class Unit:
    """An old row, and what it must have become."""

    table: str
    row: str
    content: Content
    digest: str  # of the content's text
    around: Surroundings
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Found:
    """What it has become; `nested` is what is JSON."""

    columns: tuple[Any, ...]
    nested: tuple[Any, ...]
    dataset: dict[str, Any] | None = None

    @property
    def job(self) -> dict[str, Any]:
        return dict(zip((*_COLUMNS, *_NESTED), (*self.columns, *self.nested), strict=True))

    def is_as(self, unit: "Unit") -> bool:
        """Whether the job is what the rules say: `compared` for many rows that are right."""
        want = unit.wanted
        *plain, visibility, created, completed, updated, digest = self.columns
        return bool(
            tuple(plain) == _plain(want)
            and (want["visibility"] is None or visibility == want["visibility"])
            and (_moment(created), _moment(completed), _moment(updated)) == _times(want)
            and digest == unit.digest
            and self.nested == _nested(want)
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What decides for all rows, read once."""

    tables: Mapping[str, Shape]
    stale_before: int
    visibility: str
    shared: frozenset[str]
    has_files: bool = True
    has_owners: bool = True

    @classmethod
    async def gathered(
        cls, source: LegacyDatabase, target: LegacyDatabase, tables: Mapping[str, Shape]
    ) -> Self:
        stale_before, visibility, files, owners = (await target.fetch(query("verify_choices")))[0]
        before = -(2**63) if stale_before is None else int(stale_before)
        return cls(tables, before, str(visibility), await shared_prompts(source, tables), files, owners)

    async def rows(
        self,
        source: LegacyDatabase,
        target: LegacyDatabase,
        name: str,
        last: str | None,
        until: str | None,
        pace: Pace,
        processes: int = 1,
    ) -> AsyncIterator[tuple[Unit, Found | None]]:
        """The rows after a key, up to another, each with its job; so many processes do the same at once."""
        shape = self.tables[name]
        end = "" if until is None else f" AND t.{shape.key} <= %(until)s::{shape.key_type}"
        while True:
            range_of = ("true" if last is None else f"t.{shape.key} > %(after)s::{shape.key_type}") + end
            async with pace.step(rest=REST * processes) as gentle:  # with whatever the caller does with them
                most = GENTLE_BATCH_ROWS if gentle else BATCH_ROWS
                params = {"after": last, "until": until, "most": most, "bytes": BATCH_BYTES}
                places = {"key": shape.key, "relation": shape.relation, "size": shape.size, "range": range_of}
                bounds = await source.fetch(filled("batch_bounds", **places), params)
                if not bounds:
                    return
                within = f"{range_of} AND t.{shape.key} <= %(last)s::{shape.key_type}"
                bounded = {"after": last, "until": until, "last": bounds[0][0]}
                for pair in await self.pairs(source, target, name, within, bounded):
                    yield pair
            last = bounds[0][0]

    async def pairs(
        self,
        source: LegacyDatabase,
        target: LegacyDatabase,
        name: str,
        within: str,
        params: Mapping[str, Any],
    ) -> list[tuple[Unit, Found | None]]:
        """The rows that a condition on `t` chooses, each with its job."""
        shape = self.tables[name]
        places = {"name": name, "key": shape.key, "relation": shape.relation, "range": within}
        read = await source.fetch(
            filled("verify_rows", rows=filled("rows_of", **places, content=shape.content)), params
        )
        rows = {row: _decode(content)[0] for row, content in read}
        asked = {"name": name, "ids": list(rows)}
        found = {
            row[0]: (row[1:-1], tuple(_decode(row[-1])[0]))
            for row in await target.fetch(query("verify_jobs"), asked)
        }
        around = await self._surroundings(source, target, name, rows, within, params)
        sets = {}
        if name == "datasets":
            more = await target.fetch(query("verify_datasets"), asked)
            sets = {row[0]: dict(zip(_DATASET, row[1:], strict=True)) for row in more}
        return [
            (
                Unit(name, row, content, digest, around[row], wanted(name, row, content, around[row])),
                Found(*found[row], sets.get(row)) if row in found else None,
            )
            for (row, content), digest in zip(rows.items(), (_digest(text) for _, text in read), strict=True)
        ]

    async def _surroundings(
        self,
        source: LegacyDatabase,
        target: LegacyDatabase,
        name: str,
        rows: Mapping[str, Content],
        within: str,
        params: Mapping[str, Any],
    ) -> dict[str, Surroundings]:
        asked = {"name": name, "ids": list(rows)}
        stored: dict[str, Any] = {}
        mapped: dict[str, str] = {}
        if self.has_files:
            stored = dict(await target.fetch(query("verify_files"), asked))
        if self.has_owners:
            mapped = dict(await target.fetch(query("verify_owners"), asked))
        named = {
            row: text_of(content.get("user_id")) for row, content in rows.items() if content.get("user_id")
        }
        accounts = await self._accounts(target, named)
        items = await self.items(source, name, within, params)
        around = {}
        for row in rows:
            told = named.get(row)
            owner = told.lower() if told and told.lower() in accounts else None
            around[row] = Surroundings(
                stale_before=self.stale_before,
                visibility=self.visibility,
                shared=self.shared,
                owner=owner or mapped.get(row),
                unknown_owner=bool(told) and owner is None,
                stored=stored.get(row, {}),
                items=items.get(row, ()),
            )
        return around

    async def _accounts(self, target: LegacyDatabase, named: Mapping[str, str | None]) -> set[str]:
        ids = sorted({told.lower() for told in named.values() if told and UUID.fullmatch(told)})
        return (
            {row for (row,) in await target.fetch(query("verify_accounts"), {"ids": ids})} if ids else set()
        )

    async def items(
        self, source: LegacyDatabase, name: str, within: str, params: Mapping[str, Any]
    ) -> dict[str, list[tuple[str, Content]]]:
        """The items of the datasets that the condition chooses."""
        found: dict[str, list[tuple[str, Content]]] = {}
        if name == "datasets" and "data" in self.tables:
            items, sets = self.tables["data"], self.tables["datasets"]
            places = {"content": items.content, "relation": items.relation, "datasets": sets.relation}
            for _, row, content in await source.fetch(filled("items_of", **places, range=within), params):
                found.setdefault(str(content["dataset_id"]), []).append((row, content))
        return found


def _digest(text: str) -> str:
    """As PostgreSQL's md5 has it; it tells rows apart, and keeps no secret."""
    return md5(text.encode(), usedforsecurity=False).hexdigest()


async def shared_prompts(source: LegacyDatabase, tables: Mapping[str, Shape]) -> frozenset[str]:
    """Prompt ids of style_transfers that another row of any old table has."""
    styles = tables.get("style_transfers")
    if not styles or "comfyui_prompt_id" not in styles.columns:
        return frozenset()
    repeated = await source.fetch(filled("verify_repeated", relation=styles.relation))
    if multitalk := tables.get("multitalk_jobs"):
        repeated += await source.fetch(
            filled("verify_prompts_taken", relation=styles.relation, multitalk=multitalk.relation)
        )
    return frozenset(prompt for (prompt,) in repeated)
