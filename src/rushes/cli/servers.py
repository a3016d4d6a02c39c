"""rushes servers and rushes queue, on the installation's own database."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import typer

from rushes.bootstrap.installation import Installation, open_installation
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show, show_json, table
from rushes.domain.errors import NotFound
from rushes.domain.principal import Principal
from rushes.services.server_desk import Trial
from rushes.settings import Settings, check_comfy_url

servers = typer.Typer(help="The ComfyUI servers: add, test, drain, free their memory.", no_args_is_help=True)
queue = typer.Typer(help="The queue: how long it is; pause and resume it.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="SERVER", help="Its URL, its name or its id.")]
Kind = Annotated[str, typer.Argument(metavar="[TYPE]", help="A workflow type; without it everything.")]


@asynccontextmanager
async def _administrator(found: Settings) -> AsyncIterator[tuple[Installation, Principal]]:
    async with open_installation(found) as at:
        yield at, await at.accounts.administrator()


async def _id(at: Installation, which: str) -> UUID:
    for server in await at.servers.list():
        if which.rstrip("/") in (server.url, server.name, str(server.id)):
            return server.id
    raise NotFound(f"There is no server {which}. `rushes servers list` shows them.")


@servers.command("list")
def list_servers(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Every server, what it is and how it gets on."""

    async def run() -> list[dict[str, Any]]:
        async with _administrator(settings(data_dir)) as (at, who):
            found: list[dict[str, Any]] = json.loads(await at.desk.list(who))
            return found

    rows = asyncio.run(run())
    if as_json:
        show_json(rows)
        return
    table(
        ("server", "state", "version", "free VRAM", "jobs", "done", "failed", "last error"),
        [_row(row) for row in rows],
    )


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    state = row["state"] if row["enabled"] else "disabled"
    state = "draining" if row["enabled"] and row["draining"] else state
    state = "breaker open" if row["enabled"] and row["open_until"] and row["failures"] > 2 else state
    free = [device.get("vram_free") for device in row["devices"] if device.get("vram_free")]
    return (
        row["url"],
        state,
        row["version"] or "",
        f"{sum(free) / 1024**3:.1f} GB" if free else "",
        ", ".join(job["workflow_type"] for job in row["jobs"]),
        str(row["jobs_completed"]),
        str(row["jobs_failed"]),
        row["last_error"] or "",
    )


@servers.command()
def add(
    url: Annotated[str, typer.Argument(help="http://127.0.0.1:8188")],
    name: Annotated[str | None, typer.Option(help="What to call it.", show_default=False)] = None,
    slots: Annotated[int, typer.Option(help="Jobs that it runs at a time.", min=1, max=16)] = 1,
    data_dir: DataDir = None,
) -> None:
    """Add a server; it is tried first."""
    try:
        address = check_comfy_url(url)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None

    async def run() -> None:
        async with _administrator(settings(data_dir)) as (at, who):
            server_id, trial = await at.desk.add(who, address, name=name, slots=slots)
        show(str(server_id))
        _tell(trial)

    asyncio.run(run())


@servers.command("test")
def try_server(which: Which, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Ask a server what it is, and which workflows it has nodes and models for. Exit code 1 if it doesn't answer."""

    async def run() -> Trial:
        async with _administrator(settings(data_dir)) as (at, who):
            return await at.desk.test(who, await _id(at, which))

    trial = asyncio.run(run())
    if as_json:
        show_json({name: getattr(trial, name) for name in trial.__slots__})
    else:
        _tell(trial)
    if not trial.ok:
        sys.exit(1)


def _tell(trial: Trial) -> None:
    answered = f" ({trial.milliseconds} ms, {trial.node_classes} node classes)" if trial.ok else ""
    say(trial.message + answered)
    if trial.can_run:
        say(f"It can run: {', '.join(trial.can_run)}")
    for workflow_type, why in (trial.cannot_run or {}).items():
        say(f"It can't run {workflow_type}: it lacks {why.replace('The node', 'the node', 1)}")


def _change(which: str, data_dir: Any, words: str, **changes: Any) -> None:
    async def run() -> None:
        async with _administrator(settings(data_dir)) as (at, who):
            await at.desk.change(who, await _id(at, which), changes)
        say(words)

    asyncio.run(run())


@servers.command()
def enable(which: Which, data_dir: DataDir = None) -> None:
    """Let it take jobs (again)."""
    _change(which, data_dir, "enabled", enabled=True, draining=False)


@servers.command()
def disable(which: Which, data_dir: DataDir = None) -> None:
    """Give it no more jobs, and don't watch it."""
    _change(which, data_dir, "disabled", enabled=False)


@servers.command()
def drain(which: Which, data_dir: DataDir = None) -> None:
    """Let it finish what it has, and give it no more."""
    _change(which, data_dir, "draining: it finishes what it has", draining=True)


@servers.command()
def free(which: Which, data_dir: DataDir = None) -> None:
    """Unload its models and free its memory."""

    async def run() -> None:
        async with _administrator(settings(data_dir)) as (at, who):
            await at.desk.free(who, await _id(at, which))
        say("asked to free its memory")

    asyncio.run(run())


@servers.command()
def remove(which: Which, data_dir: DataDir = None) -> None:
    """Forget a server that runs nothing."""

    async def run() -> None:
        async with _administrator(settings(data_dir)) as (at, who):
            await at.desk.remove(who, await _id(at, which))
        say("removed")

    asyncio.run(run())


@queue.command()
def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """How many jobs run and wait, and what is paused."""

    async def run() -> dict[str, Any]:
        async with _administrator(settings(data_dir)) as (at, who):
            line: dict[str, Any] = json.loads(await at.queue_desk.line(who))
            return line

    line = asyncio.run(run())
    if as_json:
        show_json(line)
        return
    more = " and more" if line["waiting_more"] else ""
    show(f"{line['running']} running, {line['waiting']}{more} waiting, {line['servers_up']} servers up")
    if line["paused"]:
        show(f"paused: {', '.join('everything' if one == '*' else one for one in line['paused'])}")


@queue.command()
def pause(
    workflow_type: Kind = "*",
    reason: Annotated[str | None, typer.Option(help="What people are told.", show_default=False)] = None,
    data_dir: DataDir = None,
) -> None:
    """Hold back waiting jobs; what runs goes on."""

    async def run() -> None:
        async with _administrator(settings(data_dir)) as (at, who):
            await at.desk.pause(who, workflow_type, reason)
        say("paused")

    asyncio.run(run())


@queue.command()
def resume(workflow_type: Kind = "*", data_dir: DataDir = None) -> None:
    """Let them go on."""

    async def run() -> None:
        async with _administrator(settings(data_dir)) as (at, who):
            await at.desk.resume(who, workflow_type)
        say("resumed")

    asyncio.run(run())
