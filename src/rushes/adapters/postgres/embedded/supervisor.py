"""EmbeddedPostgres: what the rest of Rushes knows of all this."""

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rushes.adapters.postgres.embedded import binaries as found
from rushes.adapters.postgres.embedded import home as homes
from rushes.adapters.postgres.embedded import log, server, starting
from rushes.adapters.postgres.embedded import password as passwords
from rushes.adapters.postgres.embedded.binaries import Binaries
from rushes.adapters.postgres.embedded.home import Home
from rushes.adapters.postgres.embedded.keeper import Keeper, uninterrupted
from rushes.adapters.postgres.embedded.locks import FileLock
from rushes.adapters.postgres.embedded.problems import explained
from rushes.domain.errors import Conflict, InvalidSetting, Unavailable

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EmbeddedStatus:
    """What `rushes db status` and the doctor tell. Paths are None before the first start."""

    running: bool
    pid: int | None = None
    port: int | None = None
    major: int | None = None
    cluster: Path | None = None
    log: Path | None = None


class EmbeddedPostgres:
    """The PostgreSQL of one data directory, shared by all commands that use it.

    The first command starts the server, later ones join it, and the one that leaves last stops it. The
    server is no child that dies with its parent: after a kill -9 of Rushes it goes on, the next command joins
    it, and that one's clean exit stops it. Whatever was killed, the next start recovers.

    `with` and the plain methods block; `async with` doesn't, and also restarts a server that dies while in use
    (on the same port, so that its URL stays true) and keeps its log small.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
        system_dir: Path = homes.SYSTEM_DIR,
        timeout: float = 120.0,
    ) -> None:
        """`binaries`: the one folder to take programs from. `settings`: of the server, beside ours.
        `system_dir`: where root's clusters live. `timeout`: seconds to wait for others and for recovery."""
        self.data_dir = data_dir
        self._binaries = binaries
        self._settings = dict(settings or {})
        self._system_dir = system_dir
        self._timeout = timeout
        self._home: Home | None = None
        self._users: FileLock | None = None
        self._port: int | None = None
        self._keeper: Keeper | None = None

    def start(self) -> str:
        """Start or join the server: the superuser's URL, valid until `stop`. Blocks.

        Raises InvalidSetting (the directory can't be used) and Unavailable (the server can't run).
        """
        if self._users:
            return self.revive()
        with explained(self.data_dir):
            while True:
                home = homes.locate(self.data_dir, system_dir=self._system_dir)
                try:
                    return self._start(home)
                except FileNotFoundError:
                    if home.root.is_dir():
                        raise
                    # It was removed while we waited for its lock: make it anew.

    def stop(self) -> bool:
        """Leave the server, and stop it when nobody else uses it: True then. Blocks."""
        home = self._home
        if not self._users or home is None:
            return False
        try:
            with explained(self.data_dir), self._start_lock(home):
                return self._leave(home)
        except InvalidSetting:
            if home.root.is_dir():
                raise
            return False  # the directory was deleted; the server notices and ends
        finally:
            self._forget()

    def revive(self) -> str:
        """Start the server again, on its port, if it died while we use it: its URL. Blocks."""
        home = self._home
        if not self._users or home is None:
            raise Unavailable("The embedded database is not started: call start() first.")
        if not server.alive(home):
            with explained(self.data_dir), self._start_lock(home) as lock:
                if not self._join(home):
                    _log.warning("The embedded database died; starting it again")
                    self._launch(home, lock, port=self._port)
        return self.url()

    def url(self) -> str:
        """The superuser's URL of the running server, ours or another command's. Raises Unavailable."""
        if self._home and self._port:
            return server.url(self._home, self._port)
        home = homes.find(self.data_dir)
        port = server.answers(home) if home and server.alive(home) else None
        if home is None or port is None:
            raise Unavailable(f"No embedded database runs on {self.data_dir}: start one with `rushes up`.")
        return server.url(home, port)

    def status(self) -> EmbeddedStatus:
        """What is there, and whether it answers; changes nothing. Raises InvalidSetting, Unavailable."""
        with explained(self.data_dir):
            home = homes.find(self.data_dir)
            if home is None:
                return EmbeddedStatus(running=False)
            port = server.answers(home) if server.alive(home) else None
            where = server.address(home) if port else None
            return EmbeddedStatus(
                running=port is not None,
                pid=where.pid if where else None,
                port=port,
                major=found.cluster_major(home.cluster),
                cluster=home.cluster,
                log=home.log,
            )

    def rotate_log(self) -> bool:
        """Put a log of over 10 MB aside, keeping three older ones. The async context does it by itself."""
        return self._home is not None and log.rotate(self._home.log)

    def remove(self) -> None:
        """Delete the database and all that belongs to it. Raises Conflict while anybody uses it."""
        with explained(self.data_dir):
            home = homes.find(self.data_dir)
            if home is None:
                return
            with self._start_lock(home):
                users = FileLock(home.users)
                if not users.acquire():
                    raise Conflict(
                        f"The database of {self.data_dir} is in use: stop every Rushes on it first."
                    )
                try:
                    if server.alive(home):
                        server.shut_down(home, timeout=self._timeout)
                    _delete(home)
                finally:
                    users.release()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> str:
        url = await uninterrupted(self.start, undo=self.stop)
        self._keeper = Keeper(revive=self.revive, rotate_log=self.rotate_log)
        self._keeper.start()
        return url

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper:
            await self._keeper.stop()
        await uninterrupted(self.stop)

    def _start(self, home: Home) -> str:
        with self._start_lock(home) as lock:
            self._enter(home)
            try:
                self._port = self._join(home) or self._launch(home, lock)
                return self.url()
            except starting.StillStarting:
                self._forget()
                raise
            except BaseException:
                self._leave(home)
                raise

    @contextmanager
    def _start_lock(self, home: Home) -> Iterator[FileLock]:
        lock = FileLock(home.start_lock)
        if not lock.acquire(timeout=self._timeout):
            raise Unavailable(
                f"Another command has been starting or stopping the database of {self.data_dir} "
                f"for {self._timeout:.0f} s: see {home.log}, and try again."
            )
        try:
            yield lock
        finally:
            lock.release()

    def _enter(self, home: Home) -> None:
        users = FileLock(home.users)
        if not users.acquire(shared=True, timeout=5):
            raise Unavailable(
                f"{home.users} is locked by a program that isn't Rushes: end it, and try again."
            )
        self._home, self._users = home, users

    def _leave(self, home: Home) -> bool:
        """Under the start lock: nobody enters meanwhile, so the last one knows that it is."""
        assert self._users
        try:
            last = self._users.make_exclusive() and server.alive(home)
            if last:
                server.shut_down(home, timeout=self._timeout)
            return last
        finally:
            self._forget()

    def _forget(self) -> None:
        if self._users:
            self._users.release()
        self._users = self._home = self._port = None

    def _join(self, home: Home) -> int | None:
        assert self._users
        if passwords.read(home.password) is None and server.alive(home) and self._users.make_exclusive():
            # Nobody could use it any more; a start teaches it a new password.
            server.shut_down(home, timeout=self._timeout)
            self._users.make_shared()
        return starting.join(home, timeout=self._timeout)

    def _launch(self, home: Home, lock: FileLock, *, port: int | None = None) -> int:
        return starting.launch(
            home, self._candidates(), held=lock, settings=self._settings, timeout=self._timeout, port=port
        )

    def _candidates(self) -> Iterator[Binaries]:
        if not self._binaries:
            yield from found.packaged()
            yield from found.installed()
            return
        given = Binaries.at(self._binaries)
        if given is None:
            raise InvalidSetting(
                f"{self._binaries} has no PostgreSQL that runs: name the folder with postgres and initdb."
            )
        yield given


def _delete(home: Home) -> None:
    """Everything that we made; the locks go last, while we hold them."""
    shutil.rmtree(home.cluster, ignore_errors=True)
    if home.root != home.data_dir:
        for link in (home.data_dir / "postgres", home.data_dir / "postgres.log"):
            if link.is_symlink():
                link.unlink()
        shutil.rmtree(home.root)
        return
    for path in home.root.glob("postgres.*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
