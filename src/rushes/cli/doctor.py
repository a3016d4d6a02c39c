"""rushes doctor: looks at everything that an installation needs, and says what to do."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence

from rushes.adapters.comfyui.client import HttpComfyServers
from rushes.bootstrap.installation import Installation, open_installation
from rushes.bootstrap.locations import page
from rushes.bootstrap.storing import storage_in_words
from rushes.bootstrap.up import USUAL_COMFYUI
from rushes.cli.options import AsJson, ComfyUrls, DataDir, settings
from rushes.cli.output import show, show_json
from rushes.cli.signals import run_interruptibly
from rushes.domain.comfy import ComfyError
from rushes.domain.errors import RushesError
from rushes.settings import Settings

LOW_DISK = 5 * 1024**3
Finding = tuple[str, str, str]  # part, ok | warning | error, words
Add = Callable[[str, str, str], None]


def doctor(data_dir: DataDir = None, comfy_url: ComfyUrls = None, as_json: AsJson = False) -> None:
    """Check settings, database, storage, disk, ComfyUI, workflows and the page. Exit code 1 if one doesn't work."""
    findings: list[Finding] = []
    run_interruptibly(_examine(settings(data_dir, comfy_urls=comfy_url), lambda *one: findings.append(one)))
    if as_json:
        show_json([{"part": part, "state": state, "message": words} for part, state, words in findings])
    else:
        for part, state, words in findings:
            show(f"{state:8} {part:11} {words}")
    if any(state == "error" for _, state, _ in findings):
        sys.exit(1)


async def _examine(found: Settings, add: Add) -> None:
    add("settings", "ok", f"data in {found.data_dir.absolute()}")
    await _disk(found, add)
    urls = found.comfy_urls
    try:
        async with open_installation(found) as at:
            await _parts(at, add)
            urls = urls or tuple(server.url for server in await at.servers.list() if server.enabled)
    except RushesError as error:
        add("database", "error", error.message)
    await _comfyui(found, urls, add)
    built = page()
    add("page", "ok" if built else "warning", str(built) if built else "not built: run `make setup`")


async def _disk(found: Settings, add: Add) -> None:
    here = found.data_dir if found.data_dir.exists() else found.data_dir.absolute().parent
    try:
        free = (await asyncio.to_thread(shutil.disk_usage, here)).free
    except OSError as error:
        add("disk", "error", f"{here}: {error.strerror}")
        return
    state = "warning" if free < LOW_DISK else "ok"
    add("disk", state, f"{free / 1024**3:.1f} GB free" + (": make room" if state == "warning" else ""))


async def _parts(at: Installation, add: Add) -> None:
    readiness = await at.processes.readiness()
    kind = "embedded" if at.settings.database_url is None else "RUSHES_DATABASE_URL"
    add("database", "ok", f"{kind}, answers, schema up to date; {readiness.waiting} jobs wait")
    try:
        await at.storage.check()
        add("storage", "ok", storage_in_words(at.settings))
    except RushesError as error:
        add("storage", "error", error.message)
    if readiness.dispatchers:
        add("dispatcher", "ok", f"{readiness.dispatchers} running")
    else:
        add(
            "dispatcher",
            "warning",
            "none is running: jobs wait until `rushes up` or `rushes dispatch` is started",
        )
    types, broken = at.catalog.list(), at.catalog.broken()
    add("workflows", "ok", f"{len(types)} types; `rushes workflows check` looks into them")
    for name, why in broken.items():
        add("workflows", "error", f"{name}: {why}")


async def _comfyui(found: Settings, urls: Sequence[str], add: Add) -> None:
    servers = HttpComfyServers(headers=found.comfy_headers)
    try:
        for url in urls or (USUAL_COMFYUI,):
            try:
                stats = await servers.at(url).system_stats()
                add("comfyui", "ok", f"{url}: ComfyUI {stats.version}")
            except ComfyError as error:
                if urls:
                    add("comfyui", "error", error.message)
                else:
                    add(
                        "comfyui",
                        "warning",
                        f"none is named and none answers at {url}: `rushes up` uses the demo",
                    )
    finally:
        await servers.aclose()
