"""Everything in one process: database, API and page, one dispatcher, and a demo server where no ComfyUI is."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from rushes.adapters.comfyui.client import HttpComfyServers
from rushes.bootstrap.demo import demo_server
from rushes.bootstrap.dispatching import dispatching
from rushes.bootstrap.installation import Installation, open_installation
from rushes.bootstrap.serving import Serving, listening_socket, serving
from rushes.domain.comfy import ComfyError
from rushes.settings import Settings

USUAL_COMFYUI = "http://127.0.0.1:8188"


@dataclass(frozen=True, slots=True)
class Up:
    """What runs."""

    installation: Installation
    serving: Serving
    comfy_urls: tuple[str, ...]
    on_demo: bool


@asynccontextmanager
async def everything(
    settings: Settings, *, host: str, port: int, demo: bool, tell: Callable[[str], None]
) -> AsyncIterator[Up]:
    """Run all of it while the block lasts."""
    listener = listening_socket(host, port)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        urls, on_demo = settings.comfy_urls, False
        if demo or not urls:
            urls, on_demo = await stack.enter_async_context(found_or_demo(settings, demo=demo, tell=tell))
        at = await stack.enter_async_context(open_installation(settings))
        await stack.enter_async_context(dispatching(at, urls, demo=on_demo))
        served = await stack.enter_async_context(serving(at, listener))
        yield Up(at, served, urls, on_demo)


@asynccontextmanager
async def found_or_demo(
    settings: Settings, *, demo: bool, tell: Callable[[str], None]
) -> AsyncIterator[tuple[tuple[str, ...], bool]]:
    """A ComfyUI where one usually is, else the demo server, running while the block lasts."""
    if not demo and await _answers(USUAL_COMFYUI):
        tell(f"Found a ComfyUI at {USUAL_COMFYUI}.")
        yield (USUAL_COMFYUI,), False
        return
    if not demo:
        tell(f"No ComfyUI was named, and none answers at {USUAL_COMFYUI}: starting the built-in demo server.")
    async with demo_server(settings.data_dir / "demo") as url:
        yield (url,), True


async def _answers(url: str) -> bool:
    servers = HttpComfyServers(connect_seconds=1.0)
    try:
        await servers.at(url).system_stats()
    except ComfyError:
        return False
    finally:
        await servers.aclose()
    return True
