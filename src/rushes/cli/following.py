"""Follow a job at the terminal, with a progress bar, and fetch what it made."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from rushes.cli.desk import Desk
from rushes.cli.output import say
from rushes.domain.job import JobStatus

LOOK_SECONDS = 0.25
Json = dict[str, Any]


async def to_the_end(desk: Desk, job: Json) -> Json:
    """Wait until a job has ended, showing how it gets on; the job then."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_words(job), total=100)
        told: str | None = None
        while not JobStatus(job["status"]).is_terminal:
            waits = job["status"] == "pending"
            reason = (await desk.waiting_for() or job.get("waiting_reason")) if waits else None
            if reason and reason != told:
                told = reason
                bar.console.print(reason, style="yellow")
            await asyncio.sleep(LOOK_SECONDS)
            job = await desk.job(UUID(job["id"]))
            _show(bar, task, job)
    return job


def _show(bar: Progress, task: TaskID, job: Json) -> None:
    percent = (job.get("progress") or {}).get("percent")
    bar.update(task, description=_words(job), completed=percent or 0)


def _words(job: Json) -> str:
    progress = job.get("progress") or {}
    where = progress.get("node_title") or progress.get("stage") or job["status"]
    return f"{job['workflow_type']} {where}"


def verdict(job: Json) -> int:
    """Say how it ended; the exit code."""
    seconds = job.get("processing_time_seconds")
    if job["status"] == "completed":
        say(
            f"{job['workflow_type']} {job['id']} completed"
            + (f" in {seconds} s" if seconds is not None else "")
        )
        return 0
    why = f": {job['error_message']}" if job.get("error_message") else ""
    say(f"{job['workflow_type']} {job['id']} {job['status']}{why}")
    return 1


async def fetch(desk: Desk, job: Json, folder: Path) -> list[Path]:
    """Save files and texts of a job; the paths. A name that is taken gets the job's id."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    outputs = job.get("outputs") or {}
    saved = []
    for file in outputs.get("files", ()):
        target = _free(folder, file["name"], job["id"])
        await desk.download(file["key"], target)
        saved.append(target)
    for number, text in enumerate(outputs.get("texts", ()), 1):
        name = f"{text.get('name') or 'text'}_{text.get('item') or number}.txt"
        target = _free(folder, name, job["id"])
        await asyncio.to_thread(target.write_text, text["text"], encoding="utf-8")
        saved.append(target)
    return saved


def _free(folder: Path, name: str, job_id: str) -> Path:
    target = folder / Path(name).name
    if not target.exists():
        return target
    return folder / f"{target.stem}-{job_id}{target.suffix}"
