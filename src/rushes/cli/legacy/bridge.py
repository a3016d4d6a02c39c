"""rushes legacy bridge."""

from typing import Annotated

import typer

from rushes.cli.legacy.opening import one_database
from rushes.cli.legacy.options import DryRun
from rushes.cli.options import AsJson, DataDir
from rushes.cli.output import say, show, show_json
from rushes.cli.signals import run_interruptibly
from rushes.legacy.bridge import Bridge
from rushes.legacy.bridge import bridge as build
from rushes.legacy.bridge import remove as take_down


def bridge(
    data_dir: DataDir = None,
    visibility: Annotated[
        str | None,
        typer.Option(
            help="Who sees old rows without an owner: private (administrators only), team or public.",
            show_default=False,
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the bridge away again.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show old and new together, in the feed and in the view unified_workflow_jobs, before anything is moved."""
    if visibility not in (None, "private", "team", "public"):
        raise typer.BadParameter("--visibility is private, team or public")

    async def run() -> Bridge:
        async with one_database(data_dir) as database:
            if remove and not dry_run:
                await take_down(database)
                return Bridge()
            return await build(database, visibility=visibility, dry_run=dry_run, tell=say)

    done = run_interruptibly(run())
    if as_json:
        show_json({"dry_run": dry_run, "removed": remove, **done.as_dict()})
    elif dry_run:
        for text in [statement for _, statement in done.indexes] + done.views:
            show(f"{text};")
        say("Nothing was changed.")
    elif remove:
        say("The bridge is gone: the feed shows jobs alone.")
    else:
        who = {"private": "administrators only", "team": "everybody who is signed in", "public": "everybody"}
        say(
            f"The feed and unified_workflow_jobs show {', '.join(done.tables)} beside the jobs now; rows without an"
            f" owner to {who[done.visibility]}."
        )
