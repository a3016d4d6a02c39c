"""Commands beside a running `rushes up`: they use its database, its dispatcher and its API."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from PIL import Image

from tests.integration.cli.rushes import Done, Rushes, Started

NO_JOB = "01a202ba-5e15-7ba5-b16c-af586c758550"


def submit(rushes: Rushes, *more: str, **environment: str) -> Done:
    picture = rushes.picture()
    return rushes.run(
        "submit", "img2img", "-i", "prompt=evening", "-f", f"image={picture}", *more, **environment
    )


@pytest.fixture(scope="module")
def job_id(rushes: Rushes, up: Started) -> str:
    """A finished job."""
    done = submit(rushes, "--wait", "--title", "the first")
    assert done.code == 0, done
    assert "completed" in done.err
    return done.out.strip()


def test_it_serves_the_page_and_is_ready(url: str, up: Started) -> None:
    with urlopen(f"{url}/readyz") as answer:
        assert answer.status == 200
    assert up.says(r"administrator \(once\): (\S+)").startswith(f"{url}/auth/link?token=")
    up.says("Jobs run on the built-in demo server")


def test_results_are_saved_by_name_and_never_over_each_other(
    rushes: Rushes, up: Started, tmp_path: Path
) -> None:
    first = submit(rushes, "--out", str(tmp_path / "new" / "folder"))
    second = submit(rushes, "--out", str(tmp_path / "new" / "folder"))
    paths = [Path(done.out.strip()) for done in (first, second)]
    assert paths[0].name == "output.png"
    assert paths[0] != paths[1]
    for path in paths:
        with Image.open(path) as image:
            assert image.format == "PNG"
    assert not list(paths[0].parent.glob(".*")), "no half file stays"


def test_json_is_all_there_is_on_stdout(rushes: Rushes, job_id: str, tmp_path: Path) -> None:
    submitted = submit(rushes, "--json", "--out", str(tmp_path))
    job = json.loads(submitted.out)
    assert job["status"] == "completed"
    assert [Path(path).exists() for path in job["saved"]] == [True]
    for command in (
        ["jobs", "list"],
        ["jobs", "show", job_id],
        ["workflows", "list"],
        ["db", "status"],
        ["doctor"],
    ):
        done = rushes.run(*command, "--json")
        json.loads(done.out)


def test_jobs_are_listed_shown_and_paged(rushes: Rushes, job_id: str) -> None:
    listed = rushes.run("jobs", "list", "--status", "completed", "--workflow-type", "img2img", "-q", "first")
    assert [line.split("\t")[0] for line in listed.out.splitlines()] == [job_id]
    submit(rushes, "--wait")
    page = rushes.run("jobs", "list", "--limit", "1")
    cursor = page.err.rpartition("--after ")[2].strip()
    following = rushes.run("jobs", "list", "--limit", "1", "--after", cursor)
    assert page.out.split()[0] > following.out.split()[0]
    shown = rushes.run("jobs", "show", job_id).out
    assert "the first" in shown
    assert f"/storage/workflows/img2img/{job_id}/output.png" in shown
    watched = rushes.run("jobs", "watch", job_id)
    assert (watched.code, "completed" in watched.err) == (0, True)


def test_a_job_is_cancelled_once_and_can_be_asked_again(rushes: Rushes, job_id: str) -> None:
    assert rushes.run("queue", "pause").code == 0  # or it might be over before it is cancelled
    waiting = submit(rushes).out.strip()
    first, again = rushes.run("jobs", "cancel", waiting), rushes.run("jobs", "cancel", waiting)
    assert rushes.run("queue", "resume").code == 0
    assert (first.code, first.err.strip()) == (again.code, again.err.strip()) == (0, "cancelled")
    ended = rushes.run("jobs", "cancel", job_id)
    assert ended.code == 1
    assert "completed already" in ended.err


def test_a_second_up_joins_and_the_demo_server_outlives_the_first(
    tmp_path: Path, rushes: Rushes, up: Started, url: str
) -> None:
    taken = rushes.run("up", "--demo", "--no-browser", "--port", url.rpartition(":")[2])
    assert taken.code == 1
    assert "Choose another with --port" in taken.err
    second = rushes.start("up", "--demo", "--no-browser", "--port", "0")
    second.says("Rushes is up")
    demo = r"demo server: (\S+)"
    assert second.says(demo) == up.says(demo), "both use one"
    assert second.stop(signal.SIGINT).code == 0
    assert submit(rushes, "--wait").code == 0, "the first goes on"


def test_over_http_with_and_without_a_token(rushes: Rushes, url: str, tmp_path: Path) -> None:
    somewhere_else = {"RUSHES_SERVER": url}
    done = submit(rushes, "--out", str(tmp_path), **somewhere_else)
    assert done.code == 0, done
    assert (tmp_path / "output.png").exists()
    token = done.err.rpartition("RUSHES_TOKEN=")[2].split()[0]
    again = submit(rushes, "--wait", "--json", RUSHES_TOKEN=token, **somewhere_else)
    mine = rushes.run("jobs", "list", "--mine", "--server", url, "--token", token)
    assert len(mine.out.splitlines()) == 2, "both belong to the one account"
    assert json.loads(again.out)["id"] in mine.out
    assert rushes.run("jobs", "list", "--mine", **somewhere_else).out == ""


def test_over_http_mistakes_have_words(rushes: Rushes, url: str) -> None:
    picture = rushes.picture()
    faulty = rushes.run(
        "submit", "img2img", "--server", url, "-i", "denoise=7", "-i", "promt=x", "-f", f"image={picture}"
    )
    assert faulty.code == 1
    assert "denoise" in faulty.err
    for more, words in (
        (["--token", "rubbish"], "token is not valid"),
        (["--after", "rubbish"], "cursor"),
    ):
        done = rushes.run("jobs", "list", "--server", url, *more)
        assert (done.code, words in done.err) == (1, True), done
    assert rushes.run("jobs", "show", NO_JOB, "--server", url).code == 1
    assert "can't be reached" in rushes.run("jobs", "list", "--server", "http://127.0.0.1:1").err
    assert "write it as http" in rushes.run("jobs", "list", "--server", "ftp://x").err


@pytest.mark.parametrize(
    ("args", "fields"),
    [
        (["img2img", "-i", "prompt=x"], ["image: is required"]),
        (
            ["img2img", "-i", "denoise=7", "-i", "stesp=3", "-f", "image=PICTURE"],
            ["denoise: ", "stesp: is not an input"],
        ),
        (
            ["img2img", "-i", "denoise=much", "-i", "steps=1.5", "-f", "image=PICTURE"],
            ["denoise: ", "steps: "],
        ),
        (["img2img", "-f", "image=missing.png"], ["image: ", "can't be read"]),
        (["img2img", "-f", "image=empty.png"], ["image: empty.png is empty"]),
        (["img2img", "-f", "image=words.png"], ["image: "]),
        (["img2img", "-f", "image=."], ["image: "]),
        (
            ["lipsync-multi", "-f", "image=PICTURE", "-f", "speakers.999999.mask=PICTURE"],
            ["speakers.999999.mask: "],
        ),
        (["img2im"], ["Did you mean img2img?"]),
    ],
)
def test_bad_input_names_its_field_and_stores_nothing(
    rushes: Rushes, up: Started, args: list[str], fields: list[str]
) -> None:
    picture = rushes.picture()
    (rushes.folder / "empty.png").touch()
    (rushes.folder / "words.png").write_text("not a picture")
    before = rushes.run("jobs", "list", "--limit", "200").out
    done = rushes.run("submit", *[arg.replace("PICTURE", picture) for arg in args])
    assert done.code == 1
    assert done.out == ""
    for field in fields:
        assert field in done.err
    assert rushes.run("jobs", "list", "--limit", "200").out == before


def test_a_reader_that_leaves_early_gets_no_traceback(rushes: Rushes, job_id: str) -> None:
    command = f"{sys.executable} -m rushes openapi | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_doctor_finds_the_running_parts(rushes: Rushes, up: Started) -> None:
    done = rushes.run("doctor")
    assert done.code == 0, done
    assert "dispatcher  1 running" in done.out
    assert "ComfyUI 0." in done.out


def test_the_database_can_be_asked_directly(rushes: Rushes, up: Started) -> None:
    with psycopg.connect(rushes.run("db", "url").out.strip()) as connection:
        row = connection.execute("select count(*) from public.workflow_jobs").fetchone()
    assert row
    assert row[0] > 0
    states = rushes.run("db", "status")
    assert states.code == 0, states
    assert {line.split("\t")[2] for line in states.out.splitlines()} == {"applied"}


def test_watching_everything_ends_by_ctrl_c(rushes: Rushes, up: Started) -> None:
    watching = rushes.start("jobs", "watch")
    watching.says("Watching every job")
    submitted = submit(rushes).out.strip()
    watching.prints(submitted)
    done = watching.stop(signal.SIGINT)
    assert (done.code, done.err) == (0, "Watching every job; Ctrl-C ends it.\n")
