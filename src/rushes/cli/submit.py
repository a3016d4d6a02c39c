"""rushes submit."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.bootstrap.dispatching import dispatching
from rushes.bootstrap.installation import Installation
from rushes.bootstrap.up import found_or_demo
from rushes.cli.desk import Desk, LocalDesk, open_desk
from rushes.cli.following import fetch, to_the_end, verdict
from rushes.cli.options import AsJson, ComfyUrls, DataDir, ServerUrl, Token, settings
from rushes.cli.output import say, show, show_json
from rushes.cli.signals import run_interruptibly
from rushes.domain.job import Visibility
from rushes.settings import Settings


def submit(
    workflow_type: Annotated[str, typer.Argument(metavar="TYPE", help="`rushes workflows list` shows them.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("-i", "--input", metavar="NAME=VALUE", help="An input.", show_default=False),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--file",
            metavar="NAME=PATH",
            help="An input file: image=a.png, speakers.0.audio=b.wav; repeat a name for a list.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, with a progress bar.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False, help="Save the results here (waits for them).", show_default=False
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="A title for the card.", show_default=False)] = None,
    priority: Annotated[int, typer.Option(help="0 to 15; higher goes first.", min=0, max=15)] = 5,
    visibility: Annotated[
        Visibility | None, typer.Option(help="Who sees it besides you.", show_default=False)
    ] = None,
    preview: Annotated[
        bool | None,
        typer.Option(
            "--preview/--production",
            help="Run the preview graph, which needs no models, or the production graph. "
            "By default the preview on the demo server only.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
    comfy_url: ComfyUrls = None,
    server: ServerUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Submit a job. With --wait and nothing running, it is run right here."""
    options = {"title": title, "priority": priority, "preview": preview, "visibility": visibility}
    texts = [_pair(one, "-i") for one in inputs or ()]
    paths = [(name, Path(path)) for name, path in (_pair(one, "-f") for one in files or ())]
    found = settings(data_dir, comfy_urls=comfy_url)
    code = run_interruptibly(
        _submit(
            found,
            workflow_type,
            texts,
            paths,
            options,
            wait=wait or out is not None,
            out=out,
            server=server,
            token=token,
            as_json=as_json,
        )
    )
    sys.exit(code)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise typer.BadParameter(f"{option} {text}: write it as NAME=VALUE")
    return name, value


async def _submit(
    found: Settings,
    workflow_type: str,
    texts: list[tuple[str, str]],
    paths: list[tuple[str, Path]],
    options: dict[str, Any],
    *,
    wait: bool,
    out: Path | None,
    server: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(found, server, token))
        if wait and isinstance(desk, LocalDesk):
            await _run_here_if_nobody_does(stack, desk.at)
        job = await desk.submit(workflow_type, texts, paths, options)
        code = 0
        if wait:
            job = await to_the_end(desk, job)
            code = verdict(job)
        saved = await fetch(desk, job, out) if out and code == 0 else []
        _print(job, saved, as_json=as_json)
        if not wait and not as_json:
            await _warn(desk, job)
    return code


async def _run_here_if_nobody_does(stack: AsyncExitStack, at: Installation) -> None:
    readiness = await at.processes.readiness()
    if readiness.dispatchers:
        return
    urls, on_demo = at.settings.comfy_urls, False
    if not urls:
        urls, on_demo = await stack.enter_async_context(found_or_demo(at.settings, demo=False, tell=say))
    say("No dispatcher is running: the job is run by this command.")
    await stack.enter_async_context(dispatching(at, urls, demo=on_demo))


def _print(job: dict[str, Any], saved: list[Path], *, as_json: bool) -> None:
    if as_json:
        show_json({**job, "saved": [str(path) for path in saved]} if saved else job)
        return
    if not saved:
        show(job["id"])
    for path in saved:
        show(str(path))


async def _warn(desk: Desk, job: dict[str, Any]) -> None:
    reason = await desk.waiting_for() or job.get("waiting_reason")
    if reason:
        say(reason)
