"""rushes storage: check, prune, status."""

import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from rushes.bootstrap.installation import Installation, open_installation
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show, show_json, table
from rushes.cli.signals import run_interruptibly
from rushes.domain.errors import Conflict
from rushes.services.outbox import OutboxWork
from rushes.services.storage_check import StorageCheck
from rushes.services.storage_findings import Finding, Found

storage = typer.Typer(help="The files: compare them with the rows, and clean up.", no_args_is_help=True)

SHOWN_AT_MOST = 1000  # findings in JSON
GRACE_HOURS = 24.0


class _Report:
    """Hears of findings: prints them as they come, or keeps the first ones for JSON."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self.first: list[dict[str, Any]] = []

    def __call__(self, finding: Finding) -> None:
        if not self._as_json:
            size = "" if finding.size_bytes is None else str(finding.size_bytes)
            state = "fixed" if finding.fixed else "known" if finding.known else ""
            show("\t".join((finding.kind.value, finding.key, size, state)))
        elif len(self.first) < SHOWN_AT_MOST:
            self.first.append(
                {
                    "kind": finding.kind.value,
                    "key": finding.key,
                    "size_bytes": finding.size_bytes,
                    "job_id": finding.job_id,
                    "fixed": finding.fixed,
                    "known": finding.known,
                }
            )


@storage.command()
def check(
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Delete what no row names, make lost previews again, and mark what is lost."
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also if most of what is stored would be deleted.")
    ] = False,
    grace: Annotated[
        float, typer.Option(help="How old an object must be to be superfluous, hours.", min=0)
    ] = GRACE_HOURS,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare rows and files, both ways. Exit code 1 when something is wrong and not fixed."""
    report = _Report(as_json)

    async def run() -> Found:
        async with open_installation(settings(data_dir)) as at:
            if fix and not force:
                _refuse_if_striking(await _check(at, grace, lambda _: None).run())
            found = await _check(at, grace, report).run(fix=fix)
            if fix:
                await OutboxWork(outbox=at.outbox, storage=at.storage).once()
            return found

    found = run_interruptibly(run())
    if as_json:
        show_json(_summary(found) | {"findings": report.first})
    else:
        _say(found)
    if found.open:
        sys.exit(1)


@storage.command()
def prune(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Delete now what is past its time, and the files of all that was deleted."""

    async def run() -> dict[str, int]:
        async with open_installation(settings(data_dir)) as at:
            found = await at.retention.once()
            return found | {"outbox": await OutboxWork(outbox=at.outbox, storage=at.storage).once()}

    found = run_interruptibly(run())
    if as_json:
        show_json(found)
    else:
        table(("what", "gone"), [(name, str(count)) for name, count in found.items()])


@storage.command()
def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """What still has to be deleted, and what hinders it. Exit code 1 when something fails."""

    async def run() -> Any:
        async with open_installation(settings(data_dir)) as at:
            return await at.storage_rows.state()

    state = run_interruptibly(run())
    if as_json:
        show_json(state)
    else:
        oldest = f", the oldest from {state['oldest'][:19]}" if state["oldest"] else ""
        say(f"Deletes that wait: {state['waiting']}{oldest}; {state['failing']} have failed.")
        say(f"Lost objects: {state['lost']}.")
        rows = [
            (str(one["id"]), one["action"], one["target"], str(one["tries"]), one["last_error"])
            for one in state["errors"]
        ]
        if rows:
            table(("id", "action", "target", "tries", "error"), rows)
    if state["failing"]:
        sys.exit(1)


def _check(at: Installation, grace: float, tell: Any) -> StorageCheck:
    return StorageCheck(
        rows=at.storage_rows,
        storage=at.storage,
        uploads=at.upload_store,
        grace=timedelta(hours=grace),
        tell=tell,
        remake=at.previews.remake,
    )


def _refuse_if_striking(found: Found) -> None:
    if found.is_striking:
        raise Conflict(
            f"No row names {found.found['orphan']} of {found.objects} objects: is this the right database, and does "
            "no other installation keep files there? If so, say --force."
        )


def _summary(found: Found) -> dict[str, Any]:
    return {
        "jobs": found.jobs,
        "objects": found.objects,
        "size_bytes": found.size_bytes,
        "found": dict(found.found),
        "fixed": {kind: count for kind, count in found.fixed.items() if count},
        "known": {kind: count for kind, count in found.known.items() if count},
        "found_again": found.found_again,
        "open": found.open,
    }


def _say(found: Found) -> None:
    parts = [f"{count} {kind.replace('_', ' ')}" for kind, count in found.found.items() if count]
    said = ", ".join(parts) or "nothing wrong"
    say(f"{found.jobs} jobs, {found.objects} objects, {found.size_bytes} bytes: {said}.")
    if found.fixed.total():
        say(f"Fixed: {found.fixed.total()}.")
    if found.open:
        say(f"Left: {found.open}.")
