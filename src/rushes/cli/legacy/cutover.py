"""rushes legacy cutover, and back: rollback."""

from typing import Annotated

import typer

from rushes.cli.legacy.bars import Bars
from rushes.cli.legacy.opening import one_database
from rushes.cli.legacy.options import DryRun
from rushes.cli.options import AsJson, DataDir
from rushes.cli.output import say, show, show_json
from rushes.cli.signals import run_interruptibly
from rushes.legacy.changes import drain
from rushes.legacy.cutover import VERIFIED_HOURS, Choices, Cutover, cut_over
from rushes.legacy.rollback import Rollback, roll_back

EXPOSED = (
    "--allow-anon: everybody who has the project's public (anon) key can read, change and delete every row of {},"
    " whoever it belongs to, as the old tables' policies had it. Nothing else of Rushes is open to them."
)


NOT_ON_VIEWS = (
    "INSERT … ON CONFLICT (upsert), TRUNCATE and Supabase's Realtime don't work on views:"
    " does the old app use them?"
)


def cutover(
    data_dir: DataDir = None,
    app_role: Annotated[
        str, typer.Option(help="The database role of the old app; it alone may use the views.")
    ] = "service_role",
    allow_anon: Annotated[
        bool, typer.Option("--allow-anon", help="Let anon and authenticated use the views, too.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            help="Go on without something that a view can't repeat, by its name; `all` for everything.",
            show_default=False,
        ),
    ] = None,
    verified_within: Annotated[
        float, typer.Option(help="How many hours ago verify may have passed.", min=0)
    ] = VERIFIED_HOURS,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put views in the old tables' places: the old app works on unchanged, on the new table."""
    choices = Choices(
        app_role=app_role,
        allow_anon=allow_anon,
        accept=frozenset(accept or ()),
        verified_hours=verified_within,
    )

    async def run() -> Cutover:
        async with one_database(data_dir) as database:
            return await cut_over(database, choices=choices, drain=drain, dry_run=dry_run, tell=say)

    done = run_interruptibly(run())
    if allow_anon:
        say(EXPOSED.format(", ".join(done.tables)))
    if as_json:
        show_json({"dry_run": dry_run, **done.as_dict()})
    elif dry_run:
        _tell_plan(done)
    else:
        say(
            f"Cut over: {', '.join(done.tables)} are views now; the tables are in schema legacy_archive."
            f" Writers waited at most {done.locked_seconds:.2f} s."
        )


def _tell_plan(done: Cutover) -> None:
    for name, what in done.obstacles:
        say(f"In the way: {name}: {what}")
    for _, statement in done.indexes:
        show(f"{statement};")
    for view in done.views:
        show(f"{view};")
    say(NOT_ON_VIEWS)
    say("Nothing was changed.")


def rollback(data_dir: DataDir = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Take the views away again; what was written since is carried back into the old tables."""

    async def run() -> Rollback:
        async with one_database(data_dir) as database:
            with Bars() as bars:
                return await roll_back(database, dry_run=dry_run, progress=bars.show)

    done = run_interruptibly(run())
    if as_json:
        show_json({"dry_run": dry_run, **done.as_dict()})
    elif dry_run:
        say(
            f"{done.waiting} changes would be carried back into {', '.join(done.views)}. Nothing was changed."
        )
    else:
        say(
            f"Rolled back: {', '.join(done.views)} are tables again, with {done.carried} changes carried back and every"
            f" row compared. Writers waited at most {done.locked_seconds:.2f} s."
        )
