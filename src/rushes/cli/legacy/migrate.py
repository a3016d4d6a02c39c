"""rushes legacy migrate."""

import csv
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from rushes.bootstrap.takeover import Takeover, open_takeover
from rushes.cli.legacy.bars import Bars
from rushes.cli.legacy.manners import give_way
from rushes.cli.legacy.options import DryRun, Hurry, Source, seconds_of
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show_json
from rushes.cli.signals import run_interruptibly
from rushes.legacy.report import transfer_report
from rushes.legacy.tables import UNITS
from rushes.legacy.transfer import BATCH_ROWS, WORKERS, Choices, Owners, Transfer, keep_following, plan
from rushes.legacy.transfer import migrate as take_over


def migrate(
    data_dir: DataDir = None,
    source: Source = None,
    stale_after: Annotated[
        str, typer.Option(help="After which time a row that never ended counts as failed: 90m, 24h, 7d.")
    ] = "24h",
    owner_map: Annotated[
        Path | None,
        typer.Option(
            help="Whose rows are whose: a CSV file with the columns legacy_table, legacy_id, user_id.",
            show_default=False, exists=True, dir_okay=False,
        ),
    ] = None,
    visibility: Annotated[
        str | None,
        typer.Option(
            help="Who sees jobs without an owner: private (administrators only), team or public.", show_default=False
        ),
    ] = None,
    batch: Annotated[int, typer.Option(help="Rows a transaction.", min=1, max=100_000)] = BATCH_ROWS,
    workers: Annotated[int, typer.Option(help="Connections that work at the same time.", min=1, max=32)] = WORKERS,
    let_go: Annotated[
        bool, typer.Option("--let-go", help="Delete jobs whose old rows are gone, however many they are.")
    ] = False,
    hurry: Hurry = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on following changes until Ctrl-C.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write a report with charts to this HTML file.", show_default=False)
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Copy the old rows into workflow_jobs, while the old app keeps writing; run it again at any time."""
    if visibility not in (None, "private", "team", "public"):
        raise typer.BadParameter("--visibility is private, team or public")
    choices = Choices(
        stale_seconds=seconds_of(stale_after),
        visibility=visibility,
        owners=_owners(owner_map) if owner_map else None,
        batch_rows=batch,
        workers=workers,
        let_go=let_go,
        hurry=hurry,
    )

    async def run() -> Transfer | dict[str, Any]:
        async with open_takeover(settings(data_dir), source) as at:
            if dry_run:
                return await plan(at.source)
            give_way()
            if not hurry:
                say(
                    "Whenever the old app writes this holds back, for hours where rows are millions; --hurry doesn't."
                )
            with Bars() as bars:
                done = await take_over(
                    at.source, at.target, apart=at.apart, choices=choices, progress=bars.show
                )
            if follow:
                await _follow(at)
            return done

    found = run_interruptibly(run())
    if report and not isinstance(found, dict):
        report.write_text(transfer_report(found.as_dict()), "utf-8")
    if isinstance(found, dict):
        show_json({"dry_run": True, **found})
    elif as_json:
        show_json(found.as_dict())
    else:
        _tell(found)


async def _follow(at: Takeover) -> None:
    say("Following the old tables; Ctrl-C ends it, and the next run goes on from there.")
    await keep_following(at.source, at.target, apart=at.apart, tell=lambda n: say(f"{n} changes followed"))


def _tell(done: Transfer) -> None:
    told = done.as_dict()
    for name, rows in done.tables.items():
        say(f"{name}: {rows:,} rows")
    say(
        f"{done.written:,} jobs written, {done.followed:,} changes followed, in {done.seconds:.1f} s; "
        f"{told.get('jobs', 0):,} jobs are from the old tables now."
    )
    for name, count in sorted(told.get("anomalies", {}).items()):
        say(f"  {name}: {count:,}")
    say("Changes of the old tables are noted from now on. Next: rushes legacy verify.")


def _owners(path: Path) -> Owners:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"legacy_table", "legacy_id", "user_id"} <= set(reader.fieldnames or ()):
            raise typer.BadParameter(f"{path} needs the columns legacy_table, legacy_id and user_id")
        try:
            owners = {(row["legacy_table"], row["legacy_id"]): UUID(row["user_id"]) for row in reader}
        except (ValueError, AttributeError, TypeError) as error:
            raise typer.BadParameter(
                f"{path}, line {reader.line_num}: user_id is an account's id ({error})"
            ) from None
    unknown = {table for table, _ in owners} - set(UNITS)
    if unknown:
        raise typer.BadParameter(
            f"{path} names the table {min(unknown)}; the old tables are {', '.join(UNITS)}"
        )
    return owners
