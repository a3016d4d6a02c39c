"""Commands with nothing running beside them: what they need they start, and stop again."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from PIL import Image

from rushes.bootstrap.serving import listening_socket
from rushes.domain.errors import InvalidSetting
from tests.integration.cli.rushes import Rushes

ROOT = Path(__file__).parents[3]


def test_a_first_submit_runs_the_job_itself_and_leaves_nothing_running(
    rushes: Rushes, tmp_path: Path
) -> None:
    done = rushes.start(
        "submit",
        "img2img",
        "-i",
        "prompt=x",
        "-f",
        f"image={rushes.picture()}",
        "--comfy-url",
        "",
        "--out",
        str(tmp_path),
    ).ended()
    assert (done.code, "RUSHES_COMFY_URLS" in done.err) == (1, True), "an empty address is no address"
    submitting = rushes.start(
        "submit",
        "img2img",
        "-i",
        "prompt=x",
        "-f",
        f"image={rushes.picture()}",
        "--out",
        str(tmp_path),
        "--json",
    )
    done = submitting.ended()
    assert done.code == 0, done
    assert "run by this command" in done.err
    job = json.loads(done.out)
    with Image.open(job["saved"][0]) as image:
        assert image.format == "PNG"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(rushes.run("db", "url").out.strip(), connect_timeout=2)


def waiting_job(rushes: Rushes) -> str:
    done = rushes.run("submit", "img2img", "-i", "prompt=x", "-f", f"image={rushes.picture()}")
    assert done.code == 0, done
    return done.out.strip()


def test_without_wait_it_says_that_the_job_waits(rushes: Rushes) -> None:
    done = rushes.run("submit", "img2img", "-i", "prompt=x", "-f", f"image={rushes.picture()}")
    assert done.code == 0
    assert "rushes up" in done.err
    assert rushes.run("jobs", "cancel", done.out.strip()).err == "cancelled\n"


def test_migrating_is_idempotent_and_status_tells(rushes: Rushes) -> None:
    rushes.run("db", "migrate")
    again = rushes.run("db", "migrate", "--json")
    assert json.loads(again.out) == {"applied": []}
    status = rushes.run("db", "status")
    assert "Embedded: PostgreSQL" in status.err
    assert status.code == 0


@pytest.mark.skipif(shutil.which("psql") is None, reason="no psql here")
def test_psql_opens_without_the_password_on_its_command_line(rushes: Rushes) -> None:
    asked = rushes.start("db", "psql", PSQLRC="/dev/null", PGAPPNAME="asked")
    assert asked.ended().code == 0, "with an empty standard input it ends"


def test_doctor_names_what_is_wrong_and_exits_1(rushes: Rushes, tmp_path: Path) -> None:
    (tmp_path / "own" / "broken").mkdir(parents=True)
    (tmp_path / "own" / "broken" / "manifest.toml").write_text("title = [")
    done = rushes.run(
        "doctor", "--comfy-url", "http://127.0.0.1:1", "--json", RUSHES_WORKFLOWS_DIR=str(tmp_path / "own")
    )
    found = {(one["part"], one["state"]): one["message"] for one in json.loads(done.out)}
    assert done.code == 1
    assert "127.0.0.1:1" in found["comfyui", "error"]
    assert found["workflows", "error"].startswith("broken: ")
    assert found["dispatcher", "warning"].startswith("none is running")
    assert found["database", "ok"]


def test_a_database_that_is_not_there_is_named_without_its_password(nowhere: Rushes) -> None:
    for command in (
        ["doctor"],
        ["jobs", "list"],
        ["db", "status"],
        ["up", "--no-browser", "--port", "0", "--demo"],
    ):
        done = nowhere.run(*command, RUSHES_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/db")
        assert done.code == 1, done
        assert "127.0.0.1" in done.out + done.err
        assert "hunter2" not in done.out + done.err


def test_a_data_directory_that_cannot_be_made_is_named(nowhere: Rushes) -> None:
    (nowhere.folder / "data").write_text("a file in its place")
    for command in (["jobs", "list"], ["doctor"], ["up", "--no-browser", "--port", "0", "--demo"]):
        done = nowhere.run(*command)
        assert done.code == 1, done
        assert str(nowhere.data_dir) in done.out + done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_directory_without_rights_is_named(nowhere: Rushes) -> None:
    nowhere.folder.chmod(0o500)
    done = nowhere.run("jobs", "list")
    nowhere.folder.chmod(0o700)
    assert (done.code, str(nowhere.data_dir) in done.err) == (1, True)


def test_a_signal_while_starting_ends_it_in_order(nowhere: Rushes) -> None:
    starting = nowhere.start("up", "--no-browser", "--port", "0")
    starting.says("starting the built-in demo server|Found a ComfyUI")  # the database comes after that
    done = starting.stop(signal.SIGTERM)
    assert (done.code, done.err.endswith("Stopped.\n")) == (0, True), done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_waiting_command_that_is_stopped_says_so_by_its_exit_code(rushes: Rushes, number: int) -> None:
    watching = rushes.start("jobs", "watch", waiting_job(rushes))
    watching.says("No dispatcher is running|No ComfyUI")
    done = watching.stop(number)
    assert done.code == 128 + number, done
    assert f"stopped by {signal.Signals(number).name}" in done.err


def test_a_port_is_taken_from_the_first_moment_and_turns_nobody_away() -> None:
    with listening_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InvalidSetting, match="--port"):
            listening_socket("127.0.0.1", port)
        socket.create_connection(("127.0.0.1", port), 2).close()
    for host in ("203.0.113.1", "no such host"):
        with pytest.raises(InvalidSetting, match=host):
            listening_socket(host, port)


def test_openapi_is_the_file_that_the_page_is_built_from(rushes: Rushes) -> None:
    printed = rushes.run("openapi")
    described = json.loads(printed.out)
    assert described["openapi"].startswith("3.1")
    kept = ROOT / "web" / "openapi.json"
    assert described == json.loads(kept.read_text()), "run `make openapi`"


def test_a_picture_of_every_command(rushes: Rushes) -> None:
    overview = rushes.run("--help")
    for command in ("up", "serve", "dispatch", "submit", "jobs", "workflows", "db", "doctor", "openapi"):
        assert f"\n  {command} " in overview.out
        assert rushes.run(command, "--help").code == 0
    assert rushes.run("--version").out.startswith("rushes ")
    assert (
        subprocess.run([sys.executable, "-m", "rushes", "--version"], capture_output=True, check=True).stderr
        == b""
    )


@pytest.mark.parametrize(
    "args",
    [
        ["nosuch"], ["submit"], ["submit", "img2img", "-i", "noequals"], ["submit", "img2img", "-i", "=x"],
        ["submit", "img2img", "--priority", "99"], ["submit", "img2img", "--visibility", "secret"],
        ["submit", "img2img", "--nosuch"], ["jobs", "show", "123"], ["jobs", "list", "--status", "nope"],
        ["jobs", "list", "--limit", "0"], ["up", "--port", "99999"], ["workflows", "show"],
    ],
)  # fmt: skip
def test_usage_errors_are_2_and_touch_nothing(nowhere: Rushes, args: list[str]) -> None:
    done = nowhere.run(*args)
    assert done.code == 2
    assert "Usage: rushes" in done.err
    assert not nowhere.data_dir.exists()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"RUSHES_COMFY_URL": "x"}, "did you mean RUSHES_COMFY_URLS?"),
        ({"RUSHES_COMFY_URLS": "ftp://x"}, "write it as http://127.0.0.1:8188"),
        ({"RUSHES_LOG": "loud"}, "loud is unknown"),
    ],
)
def test_faulty_settings_stop_every_command_before_it_starts(
    nowhere: Rushes, environment: dict[str, str], words: str
) -> None:
    for command in (
        ["up", "--port", "0"],
        ["jobs", "list"],
        ["workflows", "list"],
        ["doctor"],
        ["db", "url"],
    ):
        done = nowhere.run(*command, **environment)
        assert (done.code, words in done.err) == (1, True), done
    assert not nowhere.data_dir.exists()
