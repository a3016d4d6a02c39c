"""rushes legacy archive."""

from typing import Annotated

import typer

from rushes.bootstrap.storing import open_storage
from rushes.cli.legacy.bars import Bars
from rushes.cli.legacy.opening import one_database
from rushes.cli.legacy.options import DryRun
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show_json, table
from rushes.cli.signals import run_interruptibly
from rushes.legacy.archive import Archive
from rushes.legacy.archive import archive as store
from rushes.legacy.archive import restore as bring_back
from rushes.legacy.cutover import VERIFIED_HOURS


def archive(
    data_dir: DataDir = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Drop the old tables once they are stored and read back.")
    ] = False,
    restore: Annotated[
        bool, typer.Option("--restore", help="Bring the dropped tables back into schema legacy_archive.")
    ] = False,
    stamp: Annotated[
        str | None,
        typer.Option(help="Which archive to restore, as its folder is called.", show_default="the last one"),
    ] = None,
    verified_within: Annotated[
        float, typer.Option(help="How many hours ago verify may have passed.", min=0)
    ] = VERIFIED_HOURS,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Store the old tables as files that psql can restore; drop them only with --yes."""

    async def run() -> Archive:
        async with one_database(data_dir) as database, open_storage(settings(data_dir)) as storage:
            if restore:
                return await bring_back(database, storage, stamp=stamp)
            with Bars() as bars:
                return await store(
                    database,
                    storage,
                    yes=yes,
                    dry_run=dry_run,
                    verified_hours=verified_within,
                    progress=bars.show,
                )

    done = run_interruptibly(run())
    if as_json:
        show_json({"dry_run": dry_run, **done.as_dict()})
    elif restore:
        say(
            f"Restored from archive {done.stamp}: {', '.join(done.tables)}. `rushes legacy rollback` is possible again."
        )
    elif dry_run:
        say(f"{', '.join(done.tables)} would be stored{' and dropped' if yes else ''}. Nothing was changed.")
    else:
        _tell(done)


def _tell(done: Archive) -> None:
    table(
        ("table", "rows", "bytes", "key"),
        [(dump.table, str(dump.rows), str(dump.size_bytes), dump.key) for dump in done.dumps],
    )
    if done.dropped:
        say("The old tables are dropped. `rushes legacy archive --restore` brings them back.")
    else:
        say("The old tables are still in schema legacy_archive: --yes drops them.")
