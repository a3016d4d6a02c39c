"""rushes legacy phase1."""

from rushes.cli.legacy.bars import Bars
from rushes.cli.legacy.opening import one_database
from rushes.cli.legacy.options import DryRun
from rushes.cli.options import AsJson, DataDir
from rushes.cli.output import say, show, show_json
from rushes.cli.signals import run_interruptibly
from rushes.legacy.phase1 import Phase1
from rushes.legacy.phase1 import phase1 as take


def phase1(data_dir: DataDir = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Give the old tables themselves a type and an owner, for an app that can't move yet."""

    async def run() -> Phase1:
        async with one_database(data_dir) as database:
            with Bars() as bars:
                return await take(database, dry_run=dry_run, progress=bars.show)

    done = run_interruptibly(run())
    if as_json:
        show_json({"dry_run": dry_run, **done.as_dict()})
    elif dry_run:
        for _, statement in done.steps:
            show(f"{statement};")
        say("Then workflow_type would be filled where it is NULL. Nothing was changed.")
    else:
        _tell(done)


def _tell(done: Phase1) -> None:
    for what, _ in done.steps:
        say(f"Done: {what}")
    for table, filled in done.filled.items():
        later, unknown = done.later[table], done.unknown[table]
        say(
            f"{table}: {filled} rows got their workflow_type; {unknown} that no rule knows and"
            f" {later} that still run have none."
        )
    if any(done.later.values()):
        say(
            "Those get theirs when the old app ends them, by the trigger rushes_type; what it never ends, when"
            " `rushes legacy phase1` runs again a day later."
        )
