"""rushes legacy files."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from rushes.adapters.media import MediaWorkers
from rushes.adapters.media.sniff import kind_of, sniff
from rushes.adapters.remote.files import HttpFiles
from rushes.bootstrap.takeover import open_takeover, takeover_storage
from rushes.cli.legacy.bars import Bars
from rushes.cli.legacy.options import DryRun, Source
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show_json, table
from rushes.cli.signals import run_interruptibly
from rushes.legacy.files import Fetched, Fetching
from rushes.legacy.inspect import inspect as look
from rushes.legacy.places import Places
from rushes.legacy.report import files_report
from rushes.settings import Settings

_SHOWN = 20
_API = "/storage/v1"


def files(
    data_dir: DataDir = None,
    source: Source = None,
    storage: Annotated[
        str | None,
        typer.Option(
            envvar="RUSHES_LEGACY_STORAGE",
            help="The old storage, such as https://abc.supabase.co; default SUPABASE_URL.",
            show_default=False, show_envvar=True,
        ),
    ] = None,
    storage_key: Annotated[
        str | None,
        typer.Option(
            envvar="RUSHES_LEGACY_STORAGE_KEY",
            help="A key that may read its private buckets; better by the environment than here.",
            show_default=False, show_envvar=True,
        ),
    ] = None,
    comfy_url: Annotated[
        list[str] | None,
        typer.Option(
            help="A ComfyUI whose address rows name, or NAMED=REACHED where it is elsewhere now; may be repeated.",
            show_default=False,
        ),
    ] = None,
    at_once: Annotated[int, typer.Option(help="Files at a time.", min=1, max=64)] = 4,
    rate: Annotated[
        float | None, typer.Option(help="Megabytes a second at most.", show_default=False, min=0.001)
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a report with charts to this HTML file.", show_default=False)
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Copy every file that still exists into the storage; what can't be had is listed with its reason."""
    found = settings(data_dir)
    places = _places(found, storage, storage_key, comfy_url or [])

    async def preview() -> dict[str, int]:
        async with open_takeover(found, source, migrated=False) as at:
            return dict((await look(at.source)).files)

    async def run() -> Fetched:
        async with AsyncExitStack() as stack:
            at = await stack.enter_async_context(open_takeover(found, source))
            store = await stack.enter_async_context(takeover_storage(found))
            media = MediaWorkers(store, temp_dir=found.data_dir / "tmp")
            await media.start()
            stack.push_async_callback(media.stop)
            remote = await stack.enter_async_context(HttpFiles())
            bars = stack.enter_context(Bars())
            fetching = Fetching(
                source=at.source, target=at.target, storage=store, remote=remote, places=places,
                sniff=_sniffed, media=media, at_once=at_once, rate=rate * 1e6 if rate else None,
            )  # fmt: skip
            return await fetching.run(progress=bars.show)

    if dry_run:
        show_json({"dry_run": True, "files": run_interruptibly(preview()), "storage": places.storage})
        return
    done = run_interruptibly(run())
    if report:
        report.write_text(files_report(done.as_dict()), "utf-8")
    if as_json:
        show_json(done.as_dict())
    else:
        _tell(done)


def _sniffed(head: bytes, name: str) -> tuple[str, str]:
    content_type = sniff(head, filename=name)
    return content_type, kind_of(content_type)


def _places(found: Settings, storage: str | None, key: str | None, comfy_urls: list[str]) -> Places:
    base = storage or found.supabase_url
    if key is None and storage is None and found.supabase_secret_key:
        key = found.supabase_secret_key.get_secret_value()
    if base:
        base = base.rstrip("/").removesuffix(_API) + _API
    comfy = {}
    for told in [*found.comfy_urls, *comfy_urls]:
        named, equals, reached = told.partition("=")
        comfy[named] = reached if equals else named
    return Places(storage=base, storage_key=key, comfy=comfy)


def _tell(done: Fetched) -> None:
    say(
        f"{done.stored:,} files stored ({done.bytes / 1e6:,.1f} MB), {done.known:,} were stored before, "
        f"{done.failed:,} can't be had; {done.seconds:.1f} s."
    )
    for reason, count in done.reasons.items():
        say(f"  {count:,}: {reason}")
    table(
        ("table", "row", "file", "reason"),
        [tuple(one[key] for key in ("table", "row", "slot", "reason")) for one in done.failures[:_SHOWN]],
    )
    say("Run it again at any time: it fetches only what is missing. --json lists everything.")
