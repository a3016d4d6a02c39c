"""The places in an old row that name a file which may still be somewhere."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from rushes.legacy.evidence import Unit
from rushes.legacy.references import Reference, Source, read
from rushes.legacy.values import digest_of, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A file that a row names; `told` is what it says there, `digest` recognizes that again."""

    table: str
    row: str
    slot: str
    told: str
    digest: str
    source: Source
    name: str  # the file's own
    stem: str  # of the name that it is stored under
    prefix: str
    column: str  # where an inline file stands in the database
    home: str  # the table there, and ...
    home_row: str  # ... its row

    @property
    def kind(self) -> str:
        return str(self.source["kind"])


def slots(unit: Unit) -> Iterator[Slot]:
    """Every file of a row, without those of which only a name is known."""
    prefix = f"workflows/{unit.wanted['workflow_type']}/{unit.wanted['id']}/"
    for slot, told, reference, stem, home in _named(unit):
        if reference.kind != "name":
            yield Slot(
                table=unit.table,
                row=unit.row,
                slot=slot,
                told=told,
                digest=digest_of(told),
                source=reference.source,
                name=reference.name,
                stem=stem,
                prefix=prefix,
                column="image_url" if home != unit.row else slot,
                home="data" if home != unit.row else unit.table,
                home_row=home,
            )


def _named(unit: Unit) -> Iterator[tuple[str, str, Reference, str, str]]:
    if unit.table == "datasets":
        for row, content in unit.around.items:
            yield from _url(row, text_of(content.get("image_url")), f"image_{row}", row)
        return
    if unit.table == "multitalk_jobs":
        url = text_of(unit.content.get("video_url"))
        if read(url):
            yield from _url("video_url", url, "output", unit.row)
        elif name := unit.wanted["comfyui_output_filename"]:
            source = {
                "kind": "comfyui",
                "type": None,
                "server": unit.wanted["comfy_url"],
                "filename": name,
                "subfolder": unit.wanted["comfyui_output_subfolder"],
            }
            told = json.dumps(source, ensure_ascii=False)
            yield "filename", told, Reference(source), "output", unit.row
        return
    first = "input_source_image" if unit.wanted["workflow_type"] == "style-transfer" else "input_image"
    for slot, stem in (
        ("source_image_url", first),
        ("style_image_url", "input_style_image"),
        ("result_image_url", "output"),
    ):
        yield from _url(slot, text_of(unit.content.get(slot)), stem, unit.row)


def _url(slot: str, told: str | None, stem: str, home: str) -> Iterator[tuple[str, str, Reference, str, str]]:
    reference = read(told)
    if told and reference:
        yield slot, told, reference, stem, home
