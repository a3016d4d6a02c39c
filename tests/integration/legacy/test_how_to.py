"""The commands of docs/how-to/take-over-a-legacy-database.md, one after the other, as they are typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rushes.cli import program
from tests.integration.legacy.steps import rows


class Terminal:
    """Where they are typed."""

    def __init__(self) -> None:
        self._runner = CliRunner()
        self._program = program("legacy")
        self.said = ""

    def run(self, words: str) -> str:
        done = self._runner.invoke(self._program, ["legacy", *words.split()], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        self.said = done.stderr
        return done.stdout

    def data(self, words: str) -> Any:
        return json.loads(self.run(f"{words} --json"))


@pytest.fixture
def terminal(sample_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("RUSHES_DATABASE_URL", sample_url)
    monkeypatch.setenv("RUSHES_DATA_DIR", str(tmp_path / "installation"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "os.nice", lambda _: 0
    )  # it would slow down all tests that this process runs after it
    return Terminal()


def test_from_the_first_look_to_the_archive_and_back(terminal: Terminal, sample_url: str) -> None:
    terminal.run("inspect --report inspect.html")
    assert Path("inspect.html").read_text("utf-8").startswith("<!doctype html>")
    assert "CREATE VIEW public.unified_workflow_jobs" in terminal.run("bridge --dry-run")
    assert terminal.data("bridge")["visibility"] == "private"
    assert len(rows(sample_url, "SELECT 1 FROM unified_workflow_jobs")) == 28
    assert "ADD COLUMN workflow_type" in terminal.run("phase1 --dry-run")
    assert terminal.data("phase1")["filled"]["multitalk_jobs"] == 15
    terminal.run("migrate")
    assert "--hurry doesn't" in terminal.said
    terminal.run("verify --csv rows.csv")
    terminal.run("migrate --hurry")
    assert "--hurry" not in terminal.said
    terminal.run("verify --hurry")
    assert len(Path("rows.csv").read_text("utf-8").splitlines()) == 29
    assert "CREATE VIEW public.multitalk_jobs" in terminal.run("cutover --dry-run")
    assert terminal.data("cutover")["locked_seconds"] < 1
    rows(sample_url, "UPDATE multitalk_jobs SET status = 'completed' WHERE job_id = 'prompt-0016'")
    terminal.run("verify")
    assert terminal.data("archive --dry-run")["dropped"] is False
    assert sum(dump["rows"] for dump in terminal.data("archive")["dumps"]) == 32
    assert terminal.data("archive --yes")["dropped"] is True
    terminal.run("archive --restore")
    assert terminal.data("rollback --dry-run")["waiting"] == 1
    assert terminal.data("rollback")["carried"] == 1
    assert terminal.data("bridge --remove")["removed"] is True
    [row] = rows(sample_url, "SELECT status FROM public.multitalk_jobs WHERE job_id = 'prompt-0016'")
    assert row["status"] == "completed"
    steps = {row["step"] for row in rows(sample_url, "SELECT DISTINCT step FROM rushes_legacy.log")}
    assert {"bridge", "phase1", "migrate", "verify", "cutover", "archive", "rollback"} <= steps
