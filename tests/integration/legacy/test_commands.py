"""The commands themselves, in processes of their own, as an operator runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.integration.legacy.conftest import DATA


def rushes(url: str, folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "RUSHES_DATABASE_URL": url, "RUSHES_DATA_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "rushes", "legacy", *arguments],
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def test_from_inspect_to_verify(sample_url: str, tmp_path: Path) -> None:
    for step in ("inspect", "migrate", "verify"):
        told = json.loads(
            rushes(sample_url, tmp_path, step, "--json", "--report", str(tmp_path / f"{step}.html")).stdout
        )
        assert told["rows"]
        page = (tmp_path / f"{step}.html").read_text()
        assert "<svg" in page
        assert "<script" not in page
    rushes(sample_url, tmp_path, "verify", "--files", "--csv", str(tmp_path / "became.csv"))
    assert sorted((tmp_path / "became.csv").read_text().splitlines()) == sorted(
        (DATA / "expected.csv").read_text().splitlines()
    )
    with psycopg.connect(sample_url, autocommit=True) as hand:
        hand.execute("UPDATE workflow_jobs SET user_ip = '1.1.1.1' WHERE legacy_id = 'prompt-0016'")
        steps = hand.execute("SELECT step, event FROM rushes_legacy.log ORDER BY id").fetchall()
    assert steps[:3] == [("migrate", "started"), ("migrate", "finished"), ("verify", "passed")]
    wrong = rushes(sample_url, tmp_path, "verify", code=1)
    assert "user_ip: 1 different" in wrong.stderr


def test_a_dry_run_changes_nothing(sample_url: str, tmp_path: Path) -> None:
    told = json.loads(rushes(sample_url, tmp_path, "migrate", "--dry-run").stdout)
    assert told["tables"]["multitalk_jobs"] == 16
    told = json.loads(rushes(sample_url, tmp_path, "files", "--dry-run").stdout)
    assert told["files"]["storage"] > 5
    with psycopg.connect(sample_url) as connection:
        assert connection.execute("SELECT count(*) FROM workflow_jobs").fetchone() == (0,)
        assert connection.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'rushes_note%'"
        ).fetchone() == (0,)


def test_from_another_database_with_an_owner_map(schema_url: str, source_url: str, tmp_path: Path) -> None:
    owner = "00000000-0000-4000-8000-00000000000a"
    with psycopg.connect(schema_url, autocommit=True) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (owner,))
    owners = tmp_path / "owners.csv"
    owners.write_text(f"legacy_table,legacy_id,user_id\nmultitalk_jobs,prompt-0016,{owner}\n")
    told = json.loads(
        rushes(
            schema_url,
            tmp_path,
            "migrate",
            "--source",
            source_url,
            "--owner-map",
            str(owners),
            "--stale-after",
            "7d",
            "--json",
        ).stdout
    )
    assert told["jobs"] == 28
    assert json.loads(rushes(schema_url, tmp_path, "verify", "--source", source_url, "--json").stdout)[
        "right"
    ]
    with psycopg.connect(schema_url) as connection:
        assert connection.execute(
            "SELECT count(*) FROM workflow_jobs WHERE user_id = %s", (owner,)
        ).fetchone() == (1,)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["migrate", "--stale-after", "soon"], "such as 24h"),
        (["migrate", "--visibility", "all"], "private, team or public"),
        (["files", "--storage", "nowhere"], "is no address"),
    ],
)
def test_what_makes_no_sense_says_what_would(
    schema_url: str, tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rushes", "legacy", *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "RUSHES_DATABASE_URL": schema_url, "RUSHES_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode
    assert words in " ".join(done.stderr.split())
