"""rushes legacy verify."""

import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from rushes.bootstrap.takeover import comparing_elsewhere, open_takeover, takeover_storage
from rushes.cli.legacy.bars import Bars
from rushes.cli.legacy.manners import end_with_parent, give_way
from rushes.cli.legacy.options import Hurry, Source
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show_json, table
from rushes.cli.signals import run_interruptibly
from rushes.legacy.hashing import check_files
from rushes.legacy.listing import Listing
from rushes.legacy.report import verification_report
from rushes.legacy.verify import Verification
from rushes.legacy.verify import verify as compare

_SHOWN = 20


def verify(
    data_dir: DataDir = None,
    source: Source = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="List every old row and what it became in this file.", show_default=False),
    ] = None,
    files: Annotated[bool, typer.Option("--files", help="Read and hash every file that was stored, too.")] = False,
    processes: Annotated[int, typer.Option(help="Processes that share the rows.", min=1, max=32)] = 2,
    hurry: Hurry = False,
    report: Annotated[
        Path | None, typer.Option(help="Write a report with charts to this HTML file.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Compare every old row with its job, by rules written a second time; exit code 1 if anything differs."""

    async def run() -> Verification:
        found = settings(data_dir)
        async with AsyncExitStack() as stack:
            at = await stack.enter_async_context(open_takeover(found, source))
            give_way()
            bars = stack.enter_context(Bars())
            each = also = None
            if csv_file:
                each = Listing(stack.enter_context(csv_file.open("w", newline="", encoding="utf-8")))
            if files:
                storage = await stack.enter_async_context(takeover_storage(found))
                also = partial(check_files, at.target, storage, progress=bars.show)
            alone = processes == 1 or csv_file is not None  # one process writes the list
            pool = stack.enter_context(
                ProcessPoolExecutor(max(1, processes - 1), get_context("spawn"), end_with_parent)
            )
            return await compare(
                at.source,
                at.target,
                apart=at.apart,
                each=each,
                also=also,
                elsewhere=None
                if alone
                else comparing_elsewhere(at.source_dsn, at.dsn, pool, processes=processes, hurry=hurry),
                processes=1 if alone else processes,
                hurry=hurry,
                progress=bars.show,
            )

    done = run_interruptibly(run())
    if report:
        report.write_text(verification_report(done.as_dict()), "utf-8")
    if as_json:
        show_json(done.as_dict())
    else:
        _tell(done)
    if not done.right:
        sys.exit(1)


def _tell(done: Verification) -> None:
    for name, rows in done.rows.items():
        say(f"{name}: {rows:,} rows, {done.jobs.get(name, 0):,} jobs")
    if done.files:
        say(f"{done.files['checked']:,} files hashed ({done.files['bytes'] / 1e6:,.1f} MB)")
    if done.right:
        say(f"Every row is right ({done.seconds:.1f} s). Next: rushes legacy cutover.")
        return
    for name, count in done.different.most_common():
        say(f"{name}: {count:,} different")
    told = [one.as_dict() for one in done.differences[:_SHOWN]]
    table(
        ("table", "row", "field", "should be", "is"),
        [tuple(str(one[key]) for key in ("table", "row", "field", "wanted", "found")) for one in told],
    )
    say("Run `rushes legacy migrate` again: it puts right whatever changed. --json names more differences.")
