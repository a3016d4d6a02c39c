"""The API and the page, on a port of this machine."""

import asyncio
import ipaddress
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from rushes import __version__
from rushes.adapters.auth.links import PrintedLinks
from rushes.adapters.auth.local import LocalSessions
from rushes.adapters.metrics import PrometheusPage
from rushes.bootstrap.accounts import doors, people
from rushes.bootstrap.installation import Installation
from rushes.bootstrap.locations import page
from rushes.domain.errors import InvalidSetting
from rushes.services.ending import ended
from rushes.services.feed import FeedHub
from rushes.settings import Switch
from rushes.web.app import create_app
from rushes.web.context import Context, Scraping
from rushes.web.hosts import name_of

GRACE_SECONDS = 5
BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Serving:
    """A running API: its address, its accounts, and the server that runs it."""

    url: str
    sessions: LocalSessions
    printed: PrintedLinks
    server: uvicorn.Server
    done: asyncio.Task[None]

    def sign_in_link(self) -> str:
        """A link that signs the administrator in, once."""
        return f"{self.url}/auth/link?token={self.printed.make()}"


class _Server(uvicorn.Server):
    """Leaves signals alone: the command that runs it has more to close than this server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening_socket(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises InvalidSetting when it can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named: asyncio turns Nagle off only where it is, and 40 ms an answer hang on it
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # from now on nobody is turned away, and nobody else can have the port
    except OSError as error:
        listener.close()
        raise InvalidSetting(
            f"Port {port} of {host} can't be used ({error.strerror}). Choose another with --port, "
            "or stop what runs there."
        ) from None
    return listener


@asynccontextmanager
async def serving(at: Installation, listener: socket.socket) -> AsyncIterator[Serving]:
    """Serve while the block lasts."""
    host, port = listener.getsockname()[:2]
    hub = FeedHub(events=at.events)
    persons = people(at.settings, at.database, at.clock, sign_up=_allowed(at.settings.sign_up, host))
    entry = doors(persons, at.clock, anonymous_allowed=_allowed(at.settings.anonymous, host))
    server: uvicorn.Server | None = None
    context = Context(
        submission=at.submission,
        uploads=at.uploads,
        direct_uploads=at.direct_uploads,
        resumable_uploads=at.resumable_uploads,
        forms=at.forms,
        lifecycle=at.lifecycle,
        trash=at.trash,
        retention=at.retention,
        reader=at.reader,
        hub=hub,
        catalog=at.catalog,
        entrance=entry.entrance,
        keys=persons.keys,
        limits=persons.limits,
        people=persons.desk,
        storage=at.storage,
        processes=at.processes,
        servers=at.servers,
        desk=at.desk,
        queue=at.queue_desk,
        fleet=at.fleet,
        scraping=_scraping(at, host, hub),
        static=page(),
        stopping=lambda: server is not None and server.should_exit,
    )
    form_limit = (at.settings.limit_upload_video_mb + 200 * at.settings.limit_upload_mb) * 1024**2
    server = _Server(
        uvicorn.Config(
            create_app(context, form_limit=form_limit, metrics=at.metrics, hosts=_hosts(at, host)),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            backlog=BACKLOG,
            lifespan="off",
            ws="none",
        )
    )
    feed = asyncio.create_task(hub.run(), name="feed")
    done = asyncio.create_task(server.serve([listener]), name="api")
    try:
        yield Serving(_address(at, host, port), entry.sessions, entry.printed, server, done)
    finally:
        server.should_exit = True
        await asyncio.wait([done], timeout=GRACE_SECONDS + 2)
        await ended(feed)


def _scraping(at: Installation, host: str, hub: FeedHub) -> Scraping:
    token = at.settings.metrics_token
    return Scraping(
        page=PrometheusPage(
            metrics=at.metrics,
            types=at.metric_types,
            store=at.figures,
            version=__version__,
            feed_clients=lambda: hub.count,
            storage_free=lambda: _free_bytes(at.settings.storage_dir),
        ),
        # with an address of its own, a proxy stands before it, and everybody seems to come from loopback
        open=token is None and at.settings.public_url is None and ipaddress.ip_address(host).is_loopback,
        token=token.get_secret_value() if token else None,
    )


def _free_bytes(folder: Path | None) -> int | None:
    if folder is None:
        return None
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _hosts(at: Installation, host: str) -> list[str] | None:
    """Other addresses are reached under names that only their operators know."""
    if not ipaddress.ip_address(host).is_loopback:
        return None
    public = [name_of(at.settings.public_url)] if at.settings.public_url else []
    return [f"[{host}]" if ":" in host else host, *public]


def _allowed(switch: Switch, host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback if switch == "auto" else switch == "on"


def _address(at: Installation, host: str, port: int) -> str:
    if at.settings.public_url:
        return at.settings.public_url.rstrip("/")
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
