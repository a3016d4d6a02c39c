"""One command, and several on one data directory."""

import asyncio
import os
import pwd
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from rushes.domain.errors import Conflict, Unavailable
from tests.integration.embedded.place import Place, eventually


def test_a_command_starts_it_and_stops_it(every_kind: Place) -> None:
    every_kind.data_dir.mkdir(mode=0o750, exist_ok=True)
    before = every_kind.modes()
    command = every_kind.command()
    url = command.url()
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 42 as answer")
        row = connection.execute(
            "select current_user, rolsuper from pg_roles where rolname = current_user"
        ).fetchone()
    assert row == ("postgres", True)
    assert command.leave() is True
    assert not every_kind.alive()
    assert not (every_kind.cluster / "postmaster.pid").exists()
    assert every_kind.modes() == before, "no mode or owner of what was there is changed"

    began = time.monotonic()
    again = every_kind.command()
    assert again.url() == url, "the same port and password as before"
    assert time.monotonic() - began < 5, "a second start is quick (0.1 s, and Python's own start)"
    with psycopg.connect(url) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)
    again.leave()


def test_it_is_private(each_place: Place) -> None:
    command = each_place.command()
    url = command.url()
    assert each_place.home.password.stat().st_mode & 0o777 == 0o600
    assert each_place.cluster.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0 and each_place.uid is None:
        assert each_place.cluster.stat().st_uid not in {entry.pw_uid for entry in pwd.getpwall()}
    parts = urlsplit(url)
    assert parts.hostname == "127.0.0.1"
    with psycopg.connect(url) as connection:
        where = connection.execute(
            "select current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchone()
        rules = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
    assert where == ("127.0.0.1", "")
    assert rules == [("scram-sha-256",)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(parts.password or "", "guessed"))
    command.leave()


def test_how_it_is_set_up(empty_place: Place, each_postgres: Path) -> None:
    with empty_place.embedded(binaries=each_postgres, settings={}) as url, psycopg.connect(url) as connection:
        names = ("fsync", "synchronous_commit", "data_checksums", "jit", "server_encoding", "TimeZone")
        values = [connection.execute("select current_setting(%s)", (name,)).fetchone() for name in names]
        folded = connection.execute(
            "select lower('ÄÖ Ж'), to_tsvector('simple', 'Ängel') @@ to_tsquery('simple', 'ängel:*'), 'a' < 'B'"
        ).fetchone()
    assert [value and value[0] for value in values] == ["on", "on", "on", "off", "UTF8", "UTC"]
    assert folded == ("äö ж", True, False), "case is folded in every alphabet, order is by code point"


def test_commands_share_it_and_the_last_one_stops_it(each_place: Place) -> None:
    first = each_place.command()
    url = first.url()
    postmaster = each_place.postmaster()
    second = each_place.command()
    assert second.url() == url
    assert first.leave() is False
    assert each_place.postmaster() == postmaster
    with psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert second.leave() is True
    assert not each_place.alive()


def test_commands_that_start_at_once_share_one_server(each_empty_place: Place) -> None:
    commands = [each_empty_place.command() for _ in range(3)]
    urls = {command.url() for command in commands}
    assert len(urls) == 1
    assert [command.leave() for command in commands] == [False, False, True]
    assert [path.name for path in each_empty_place.home.root.glob("postgres.partial*")] == []


def test_status_and_url_tell_what_runs_without_joining(empty_place: Place) -> None:
    watcher = empty_place.embedded()
    assert watcher.status().running is False
    assert not empty_place.data_dir.exists(), "looking makes nothing"
    with pytest.raises(Unavailable, match="rushes up"):
        watcher.url()
    with empty_place.embedded() as url:
        status = watcher.status()
        assert (status.running, status.pid, status.port) == (
            True,
            empty_place.postmaster(),
            urlsplit(url).port,
        )
        assert status.cluster == empty_place.cluster
        assert watcher.url() == url
    assert watcher.status().running is False
    assert watcher.status().major == status.major


def test_the_remembered_port_is_given_up_when_it_is_taken(place: Place) -> None:
    with place.embedded() as url:
        port = urlsplit(url).port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with place.embedded() as moved, psycopg.connect(moved):
            assert urlsplit(moved).port != port


def test_odd_names_are_just_names(place: Place, tmp_path: Path) -> None:
    odd = place.folder / 'it\'s "odd" $(touch x) `y` 100% ü ' / ("long" * 30)
    command = place.command(odd)
    with psycopg.connect(command.url()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert command.leave() is True


@pytest.mark.anyio
async def test_the_event_loop_goes_on_meanwhile(empty_place: Place) -> None:
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - before)

    ticking = asyncio.create_task(tick())
    async with empty_place.embedded() as url, await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("select 1")
    ticking.cancel()
    assert not empty_place.alive()
    assert len(gaps) > 20
    assert max(gaps) < 0.4, "starting took longer than that, so it would show"


@pytest.mark.anyio
async def test_a_cancelled_start_leaves_nothing_running(empty_place: Place) -> None:
    async def use() -> None:
        async with empty_place.embedded():
            raise AssertionError("cancelled before")

    using = asyncio.create_task(use())
    await asyncio.to_thread(eventually, empty_place.data_dir.exists)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert not empty_place.alive()
    with empty_place.embedded() as url, psycopg.connect(url):
        pass


def test_remove_takes_everything_away_but_not_in_use(place: Place) -> None:
    postgres = place.embedded()
    with place.embedded(), pytest.raises(Conflict, match="in use"):
        postgres.remove()
    home = place.home
    (place.data_dir / "files").mkdir()
    postgres.remove()
    assert [path.name for path in place.data_dir.iterdir()] == ["files"]
    assert home.root == place.data_dir or not home.root.exists()
    with place.embedded() as url, psycopg.connect(url):
        pass


def test_leaving_after_the_directory_was_deleted(place: Place) -> None:
    postgres = place.embedded()
    postgres.start()
    pid, root = place.postmaster(), place.home.root
    root.rename(root.with_name("deleted"))
    assert postgres.stop() is False
    root.with_name("deleted").rename(root)
    assert place.postmaster() == pid
    with place.embedded():
        pass
    assert not place.alive()
