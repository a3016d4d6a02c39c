"""Bringing a cluster's server up, under the start lock: join the one that runs, or launch one."""

import logging
import subprocess
import time
from collections.abc import Iterable, Mapping

from rushes.adapters.postgres.embedded import account as accounts
from rushes.adapters.postgres.embedded import cluster, log, processes, programs, server
from rushes.adapters.postgres.embedded import password as passwords
from rushes.adapters.postgres.embedded.account import Account
from rushes.adapters.postgres.embedded.binaries import Binaries, choose, runnable
from rushes.adapters.postgres.embedded.home import Home
from rushes.adapters.postgres.embedded.locks import FileLock
from rushes.domain.errors import Unavailable

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.01
_GRACE_SECONDS = 1.0
_PORTS_TRIED = 5


class StillStarting(Unavailable):
    """The server runs and may be recovering: it shall not be stopped."""


def join(home: Home, *, timeout: float) -> int | None:
    """The port of the server that runs, once it takes connections; None when none runs. Raises Unavailable."""
    began = time.monotonic()
    while server.alive(home):
        port = server.answers(home)
        if port is not None:
            return port
        waited = time.monotonic() - began
        if waited > _GRACE_SECONDS and not processes.postmasters(home.cluster):
            server.clear_leftovers(home)
        if waited > timeout:
            raise _silent(home, timeout)
        time.sleep(_POLL_SECONDS)
    return None


def launch(
    home: Home,
    candidates: Iterable[Binaries],
    *,
    held: FileLock,
    settings: Mapping[str, str],
    timeout: float,
    port: int | None = None,
) -> int:
    """Make the cluster if need be, start its server and wait until it takes connections: its port.

    `port` is the only one to take; without it any free one, preferably that of the last start.
    Raises Unavailable, InvalidSetting.
    """
    cluster.clean_up(home)
    account = _account(home)
    binaries = runnable(choose(candidates, cluster=home.cluster), account, copies=home.root)
    if not cluster.exists(home):
        _log.info("Making the embedded database in %s", home.cluster)
        sync = settings.get("fsync", "on") != "off"
        cluster.create(home, binaries, account, held=(held.descriptor(),), sync=sync)
    elif passwords.read(home.password) is None:
        cluster.teach_password(home, binaries, account)
    server.disarm(home)
    log.rotate(home.log)
    for attempt in range(_PORTS_TRIED):
        chosen = port or (server.free_port() if attempt else server.remembered_port(home))
        if _launched(home, binaries, account, port=chosen, settings=settings, timeout=timeout):
            home.port.write_text(f"{chosen}\n")
            return chosen
    raise Unavailable(f"Every port that the embedded database tried was taken at once: see {home.log}.")


def _account(home: Home) -> Account:
    if not accounts.is_root():
        return accounts.ourselves()
    if cluster.exists(home) and home.cluster.stat().st_uid != 0:
        return accounts.owner_of(home.cluster)
    siblings = [each.stat().st_uid for each in home.root.parent.glob("*/postgres")]
    account = accounts.unused(int(home.name[-4:], 16), siblings)
    if cluster.exists(home):  # we were killed while it changed hands
        account.take_tree(home.cluster)
    return account


def _launched(
    home: Home,
    binaries: Binaries,
    account: Account,
    *,
    port: int,
    settings: Mapping[str, str],
    timeout: float,
) -> bool:
    """False when somebody took the port meanwhile."""
    offset = log.size(home.log)
    process = server.launch(home, binaries, account, port=port, settings=settings)
    try:
        if _ready(home, process, timeout):
            return True
    finally:
        server.reap(process)
    said = log.since(home.log, offset)
    if "Address already in use" in said:
        return False
    raise programs.failure(home.cluster, said)


def _ready(home: Home, process: "subprocess.Popen[bytes]", timeout: float) -> bool:
    """Whether it takes connections; False when it ended instead."""
    deadline = time.monotonic() + timeout
    while process.poll() is None:
        if server.answers(home) is not None:
            return True
        if time.monotonic() > deadline:
            raise _silent(home, timeout)
        time.sleep(_POLL_SECONDS)
    return False


def _silent(home: Home, timeout: float) -> StillStarting:
    return StillStarting(
        f"The server of {home.cluster} runs but takes no connection after {timeout:.0f} s. It may be recovering, "
        f"and goes on with that: see {home.log}, and start again later."
    )
