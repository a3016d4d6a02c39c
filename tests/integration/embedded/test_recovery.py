"""Killed in every way: the next start recovers, and nothing committed is lost."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from rushes.domain.errors import Unavailable
from tests.integration.embedded.place import Place, eventually


def write(url: str, number: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table if not exists kept (number int)")
        connection.execute("insert into kept values (%s)", (number,))


def kept(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select number from kept order by number")]


def test_after_every_kind_of_kill(every_kind: Place) -> None:
    killed = every_kind.command()
    url = killed.url()
    write(url, 1)
    postmaster = every_kind.postmaster()
    killed.kill()

    # Rushes was killed: the server goes on, the next command joins it.
    joined = every_kind.command()
    assert joined.url() == url
    assert every_kind.postmaster() == postmaster
    write(url, 2)

    # PostgreSQL is killed while that command runs: the next one starts it, and shares it with that command.
    every_kind.kill_postmaster()
    restarted = every_kind.command()
    assert kept(restarted.url()) == [1, 2]
    assert joined.leave() is False
    write(url, 3)

    # Both are killed.
    restarted.kill()
    every_kind.kill_postmaster()
    last = every_kind.command()
    assert kept(last.url()) == [1, 2, 3]

    # Rushes is killed, and the next command's clean exit stops the server that it left behind.
    last.kill()
    cleaner = every_kind.command()
    assert kept(cleaner.url()) == [1, 2, 3]
    assert cleaner.leave() is True
    assert not every_kind.alive()


def test_a_busy_child_of_a_killed_server_is_ended_first(each_place: Place) -> None:
    command = each_place.command()
    url = command.url()
    write(url, 1)
    busy = subprocess.Popen(
        [sys.executable, "-c", "import psycopg, sys; psycopg.connect(sys.argv[1]).execute(sys.argv[2])", url,
         "select count(*) from generate_series(1, 1000000000) a, generate_series(1, 1000000000) b"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    eventually(lambda: any(" SELECT" in each.command for each in each_place.alive()))
    command.kill()
    each_place.kill_postmaster()
    assert any(" SELECT" in each.command for each in each_place.alive()), "it works on without its server"
    again = each_place.command()
    assert kept(again.url()) == [1]
    assert not any(" SELECT" in each.command for each in each_place.alive())
    busy.wait(timeout=10)
    again.leave()


@pytest.mark.parametrize("theirs", ["same user", "other user"])
def test_a_stale_pid_file_whose_number_another_program_has(each_place: Place, theirs: str) -> None:
    command = each_place.command()
    write(command.url(), 1)
    command.kill()
    each_place.kill_postmaster()
    eventually(lambda: not each_place.alive())
    owner = each_place.cluster.stat().st_uid
    uid = owner if theirs == "same user" and os.geteuid() == 0 else None
    innocent = subprocess.Popen(["sleep", "60"], user=uid)
    try:
        pid_file = each_place.cluster / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
        again = each_place.command()
        assert kept(again.url()) == [1]
        assert again.leave() is True
        assert innocent.poll() is None, "nobody else's program is touched"
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.parametrize("damage", ["", "garbage\n", "1\n"])
def test_a_damaged_pid_file(place: Place, damage: str) -> None:
    with place.embedded() as url:
        write(url, 1)
    (place.cluster / "postmaster.pid").write_text(damage)
    with place.embedded() as url:
        assert kept(url) == [1]


def test_killed_while_the_cluster_is_made(each_empty_place: Place) -> None:
    command = each_empty_place.command()

    def half_made() -> bool:
        return any(each_empty_place.folder.glob("**/postgres.partial-*/cluster/PG_VERSION"))

    eventually(half_made)
    command.kill()
    assert not (each_empty_place.cluster / "PG_VERSION").exists(), "half a cluster never stands in its place"
    again = each_empty_place.command()
    write(again.url(), 1)
    assert not list(each_empty_place.home.root.glob("postgres.partial-*"))
    assert again.leave() is True


def test_a_lost_password_is_replaced_and_a_wrong_one_is_told(place: Place) -> None:
    with place.embedded() as url:
        write(url, 1)
    place.home.password.unlink()
    with place.embedded() as url:
        assert kept(url) == [1]
        right = place.home.password.read_text()
        place.home.password.write_text("wrong\n")
        with pytest.raises(Unavailable, match=r"refuses the password in .*postgres\.password"):
            place.embedded().start()
        place.home.password.write_text(right)
    assert not place.alive()


def test_a_lost_password_of_a_server_that_was_left_behind(place: Place) -> None:
    command = place.command()
    write(command.url(), 1)
    command.kill()
    place.home.password.unlink()
    with place.embedded() as url:
        assert kept(url) == [1]


def test_leaving_after_the_server_died(place: Place) -> None:
    postgres = place.embedded()
    postgres.start()
    place.kill_postmaster()
    eventually(lambda: not place.alive())
    assert postgres.stop() is False
    with place.embedded() as url:
        write(url, 1)


@pytest.mark.anyio
async def test_a_server_that_dies_in_use_comes_back_at_the_same_url(place: Place) -> None:
    async with place.embedded() as url:
        write(url, 1)
        first = place.postmaster()
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 15
        while True:
            try:
                assert kept(url) == [1]
                break
            except psycopg.OperationalError:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
        assert place.postmaster() != first
    assert not place.alive()
