"""rushes legacy inspect."""

from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.bootstrap.takeover import open_takeover
from rushes.cli.legacy.bars import Bars
from rushes.cli.legacy.options import Source, seconds_of
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show_json, table
from rushes.cli.signals import run_interruptibly
from rushes.legacy.inspect import Inspection
from rushes.legacy.inspect import inspect as look
from rushes.legacy.report import inspection_report, summed


def inspect(
    data_dir: DataDir = None,
    source: Source = None,
    stale_after: Annotated[
        str, typer.Option(help="After which time a row that never ended counts as failed: 90m, 24h, 7d.")
    ] = "24h",
    report: Annotated[
        Path | None, typer.Option(help="Write a report with charts to this HTML file.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at the old tables, and change nothing: what is there, what it would become, and what is odd."""

    async def run() -> Inspection:
        async with open_takeover(settings(data_dir), source, migrated=False) as at:
            with Bars() as bars:
                return await look(at.source, stale_seconds=seconds_of(stale_after), progress=bars.show)

    found = run_interruptibly(run()).as_dict()
    if report:
        report.write_text(inspection_report(found), "utf-8")
    if as_json:
        show_json(found)
    else:
        _tell(found)


def _tell(found: dict[str, Any]) -> None:
    for name, about in found["tables"].items():
        say(f"{name}: {about['rows']:,} rows, {(about['bytes'] or 0) / 1e6:,.1f} MB")
    for name in found["absent"]:
        say(f"{name}: absent")
    for words in found["problems"]:
        say(f"! {words}")
    table(("type", "jobs"), [(name, f"{count:,}") for name, count in summed(found["by"], "type").items()])
    table(("status", "jobs"), [(name, f"{count:,}") for name, count in summed(found["by"], "status").items()])
    table(
        ("anomaly", "rows", "for instance"),
        [(name, f"{count:,}", found["examples"][name][0]) for name, count in found["anomalies"].items()],
    )
    table(("files", "count"), [(name, f"{count:,}") for name, count in found["files"].items()])
    if found["objects"]:
        say(f"Storage: {found['objects']['found']:,} objects found, {found['objects']['missing']:,} missing.")
    say(
        f"migrate will take about {found['estimate']['migrate_seconds'] / 60:,.1f} minutes for {found['rows']:,} rows."
    )
