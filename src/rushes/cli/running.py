"""Commands that keep running: up, serve, dispatch."""

import asyncio
import os
import sys
import threading
import webbrowser
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer

from rushes.bootstrap.dispatching import dispatching, measuring
from rushes.bootstrap.installation import Installation, open_installation
from rushes.bootstrap.sample import submit_samples
from rushes.bootstrap.serving import Serving, listening_socket, serving
from rushes.bootstrap.up import Up, everything
from rushes.cli.options import ComfyUrls, DataDir, Host, Port, settings
from rushes.cli.output import say
from rushes.cli.signals import Interrupted, run_interruptibly, told_to_stop
from rushes.settings import Settings

DEFAULT_PORT = 8600


def up(
    port: Port = DEFAULT_PORT,
    host: Host = "127.0.0.1",
    data_dir: DataDir = None,
    comfy_url: ComfyUrls = None,
    demo: Annotated[bool, typer.Option("--demo", help="Use the built-in demo server.")] = False,
    sample: Annotated[bool, typer.Option("--sample", help="Run sample jobs if there is no job yet.")] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Run the preview graphs, which need no models.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open the page.")] = False,
) -> None:
    """Start everything in one process: database, API and page, and a dispatcher."""
    found = settings(data_dir, quiet=False, comfy_urls=comfy_url)
    if preview:
        found = found.model_copy(update={"preview": "always"})
    until_stopped(_up(found, host=host, port=port, demo=demo, sample=sample, browser=not no_browser))


async def _up(found: Settings, *, host: str, port: int, demo: bool, sample: bool, browser: bool) -> None:
    async with everything(found, host=host, port=port, demo=demo, tell=say) as running:
        _greet(running)
        if browser and _has_display():
            threading.Thread(target=webbrowser.open, args=(running.serving.url,), daemon=True).start()
        if sample:
            jobs = await submit_samples(running.installation)
            if jobs:
                say(f"Sample jobs: {len(jobs)}, in the feed now.")
        await _until_stopped(running.serving)


def _tell_link(at: Installation, served: Serving) -> None:
    """Where accounts are Supabase's, administrators sign in as everybody does."""
    if at.people.local is not None:
        say(f"Sign in as administrator (once): {served.sign_in_link()}")


def _has_display() -> bool:
    """Whether a page can be shown here; a text browser would take the terminal over."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _greet(running: Up) -> None:
    say(f"Rushes is up: {running.serving.url}")
    _tell_link(running.installation, running.serving)
    kind = "the built-in demo server" if running.on_demo else "ComfyUI"
    say(f"Jobs run on {kind}: {', '.join(running.comfy_urls)}")


def serve(port: Port = DEFAULT_PORT, host: Host = "127.0.0.1", data_dir: DataDir = None) -> None:
    """The API and the page alone; as many as you like on one database."""
    until_stopped(_serve(settings(data_dir, quiet=False), host, port))


async def _serve(found: Settings, host: str, port: int) -> None:
    listener = listening_socket(host, port)
    async with (
        open_installation(found) as at,
        serving(at, listener) as served,
    ):
        say(f"Rushes serves: {served.url}")
        _tell_link(at, served)
        await _until_stopped(served)


def dispatch(
    data_dir: DataDir = None,
    comfy_url: ComfyUrls = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(help="Serve this process's /metrics there; 0 takes a free one.", min=0, max=65535),
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="The address to serve /metrics on.")] = "127.0.0.1",
) -> None:
    """A dispatcher alone; as many as you like on one database."""
    until_stopped(
        _dispatch(settings(data_dir, quiet=False, comfy_urls=comfy_url), metrics_host, metrics_port)
    )


async def _dispatch(found: Settings, metrics_host: str, metrics_port: int | None) -> None:
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(open_installation(found))
        if metrics_port is not None:
            port = stack.enter_context(measuring(at, host=metrics_host, port=metrics_port))
            say(f"Metrics: http://{metrics_host}:{port}/metrics")
        dispatcher = await stack.enter_async_context(dispatching(at, found.comfy_urls))
        say(f"Dispatching as {dispatcher.id}")
        await told_to_stop()


def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Being stopped is how these commands are meant to end."""
    try:
        run_interruptibly(work)
    except Interrupted:
        pass
    say("Stopped.")


async def _until_stopped(served: Serving) -> None:
    """Wait for a signal, or for the server to fail."""
    stop = asyncio.create_task(told_to_stop())
    await asyncio.wait([stop, served.done], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if served.done.done():
        await served.done
