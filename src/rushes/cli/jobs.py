"""rushes jobs: list, show, watch, cancel, delete, purge."""

import asyncio
import sys
from typing import Annotated, Any
from uuid import UUID

import typer

from rushes.cli.desk import Desk, open_desk
from rushes.cli.following import to_the_end, verdict
from rushes.cli.options import AsJson, DataDir, ServerUrl, Token, settings
from rushes.cli.output import say, show, show_json, table
from rushes.cli.signals import Interrupted, run_interruptibly
from rushes.domain.job import JobStatus
from rushes.ports import JobQuery

jobs = typer.Typer(help="Look at jobs, watch and cancel them.", no_args_is_help=True)

WATCH_SECONDS = 0.5
Json = dict[str, Any]
JobId = Annotated[UUID, typer.Argument(metavar="ID")]


@jobs.command("list")
def list_jobs(
    workflow_type: Annotated[
        list[str] | None, typer.Option(help="May be repeated.", show_default=False)
    ] = None,
    status: Annotated[
        list[JobStatus] | None, typer.Option(help="May be repeated.", show_default=False)
    ] = None,
    q: Annotated[str | None, typer.Option("-q", help="Words in prompt or title.", show_default=False)] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only my own.")] = False,
    trash: Annotated[bool, typer.Option("--trash", help="Only what is in the trash.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    after: Annotated[
        str | None, typer.Option(help="The cursor of the page before.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    server: ServerUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Jobs, newest first."""
    query = JobQuery(
        scope="mine" if mine else "all",
        workflow_types=tuple(workflow_type or ()),
        statuses=tuple(status or ()),
        q=q,
        trash=trash,
        limit=limit,
    )

    async def run() -> None:
        async with open_desk(settings(data_dir), server, token) as desk:
            page = await desk.jobs(query, after)
        if as_json:
            show_json(page)
            return
        table(("id", "workflow", "status", "created", "prompt"), [_row(job) for job in page["data"]])
        if page["pagination"]["has_more"]:
            say(f"More: --after {page['pagination']['next_cursor']}")

    run_interruptibly(run())


@jobs.command("show")
def show_job(
    job_id: JobId,
    data_dir: DataDir = None,
    server: ServerUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """One job, whole."""

    async def run() -> None:
        async with open_desk(settings(data_dir), server, token) as desk:
            job = await desk.job(job_id)
        if as_json:
            show_json(job)
        else:
            _describe(job)

    run_interruptibly(run())


@jobs.command()
def watch(
    job_id: Annotated[UUID | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    data_dir: DataDir = None,
    server: ServerUrl = None,
    token: Token = None,
) -> None:
    """Follow one job to its end, or every job until Ctrl-C."""

    async def run() -> int:
        async with open_desk(settings(data_dir), server, token) as desk:
            if job_id:
                return verdict(await to_the_end(desk, await desk.job(job_id)))
            await _watch_all(desk)
            return 0

    try:
        sys.exit(run_interruptibly(run()))
    except Interrupted:
        if job_id:
            raise


@jobs.command()
def cancel(
    job_id: JobId,
    data_dir: DataDir = None,
    server: ServerUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a job: a waiting one at once, a running one as soon as ComfyUI lets go of it."""

    async def run() -> None:
        async with open_desk(settings(data_dir), server, token) as desk:
            job = await desk.cancel(job_id)
        if as_json:
            show_json(job)
        else:
            say(
                "cancelled" if job["status"] == "cancelled" else "cancelling; ComfyUI stops between two nodes"
            )

    run_interruptibly(run())


@jobs.command()
def delete(job_id: JobId, data_dir: DataDir = None, server: ServerUrl = None, token: Token = None) -> None:
    """Put a job into the trash."""

    async def run() -> None:
        async with open_desk(settings(data_dir), server, token) as desk:
            await desk.delete(job_id)
        say("deleted; it stays in the trash for a while")

    run_interruptibly(run())


@jobs.command()
def purge(
    job_id: Annotated[UUID | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    trash: Annotated[bool, typer.Option("--trash", help="All of my trash instead of one job.")] = False,
    data_dir: DataDir = None,
    server: ServerUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Delete for good what is in the trash: a job, or with --trash all of mine."""
    if (job_id is None) != trash:
        raise typer.BadParameter("name one job, or give --trash")

    async def run() -> int:
        async with open_desk(settings(data_dir), server, token) as desk:
            if job_id is None:
                return await desk.empty_trash()
            await desk.purge(job_id)
            return 1

    purged = run_interruptibly(run())
    if as_json:
        show_json({"purged": purged})
    else:
        say(f"purged: {purged}")


async def _watch_all(desk: Desk) -> None:
    known: dict[str, str] = {}
    first = True
    while True:
        page = await desk.jobs(JobQuery(limit=100), None)
        for job in reversed(page["data"]):
            if known.get(job["id"]) != job["status"]:
                known[job["id"]] = job["status"]
                if not first or not JobStatus(job["status"]).is_terminal:
                    show("  ".join(_row(job)))
        if first:
            say("Watching every job; Ctrl-C ends it.")
        first = False
        await asyncio.sleep(WATCH_SECONDS)


def _row(job: Json) -> tuple[str, ...]:
    prompt = " ".join((job.get("title") or job.get("prompt_text") or "").split())
    return (
        job["id"],
        job["workflow_type"],
        job["status"],
        job["created_at"][:19].replace("T", " "),
        prompt[:60],
    )


def _describe(job: Json) -> None:
    for name in ("id", "workflow_type", "workflow_name", "status", "attempt", "created_at", "started_at",
                 "completed_at", "processing_time_seconds", "waiting_reason", "comfy_url", "title", "visibility",
                 "error_code", "error_message"):  # fmt: skip
        if job.get(name) is not None:
            show(f"{name:24} {job[name]}")
    for name, value in job["inputs"].items():
        shown = value.get("filename") if isinstance(value, dict) and "filename" in value else value
        show(f"{'input ' + name:24} {shown}")
    for url in job["result_urls"]:
        show(f"{'result':24} {url}")
    for text in (job.get("outputs") or {}).get("texts", ()):
        show(f"{'text':24} {text['text']}")
