"""The database in a file, and back into an empty one; with real rows, and what is damaged refused."""

import asyncio
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from rushes.adapters.postgres import backup
from rushes.adapters.postgres.embedded import EmbeddedPostgres
from rushes.adapters.postgres.migrations import make_roles, migrate, status
from rushes.domain.errors import Conflict, InvalidFile, RushesError, Unavailable
from tests.integration.app.database import app_database
from tests.integration.app.made import picture
from tests.integration.app.stand import Stand
from tests.integration.cleanup.planted import job, person
from tests.integration.cli.rushes import Rushes
from tests.postgres import drop_database, fresh_database


@pytest.fixture
def empty(postgres_server: str) -> Iterator[str]:
    url = fresh_database(postgres_server)
    asyncio.run(make_roles(url))
    yield url
    drop_database(url)


@pytest.fixture(scope="module")
def source(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Some of everything."""
    folder = tmp_path_factory.mktemp("source")
    with app_database(postgres_server) as url, Stand(url, folder, dispatchers=0) as app:
        owner = person(app)
        for status_ in ("completed", "failed", "pending"):
            job(app, status_, user_id=owner, title="héllo \N{SNOWMAN}")
        made = app.person().submit("img2img", {"prompt": "x", **_image(app)})
        app.sql("delete from workflow_jobs where id = %s", made["id"])
        yield url


def _image(app: Stand) -> dict[str, object]:
    return {"image": app.people[-1].uploaded("a.png", picture())}


def content(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname in ('public', 'rushes', 'auth', 'supabase_migrations') order by 1"
        ).fetchall()
        return {
            name: [row for (row,) in connection.execute(f"select t::text from {name} as t order by 1")]
            for (name,) in names
        }


def test_there_and_back(source: str, empty: str, tmp_path: Path):
    file = tmp_path / "rushes.backup"
    contents = backup.back_up(source, file)
    assert file.stat().st_mode & 0o077 == 0, "it holds every password's hash"
    assert contents.rows["public.workflow_jobs"] == 3
    backup.restore(empty, file)
    before, after = content(source), content(empty)
    changed = {
        "public.workflow_job_events",
        "rushes.removed_jobs",
        "rushes.pruned_events",
        "public.dispatchers",
    }
    assert {name for name in before if before[name] != after[name]} <= changed
    assert before.keys() == after.keys()
    assert len(before["public.workflow_job_events"]) == len(after["public.workflow_job_events"])
    assert {one.state for one in asyncio.run(status(empty))} == {"applied"}
    with psycopg.connect(empty) as connection:
        assert connection.execute(
            "select relrowsecurity from pg_class where relname = 'workflow_jobs'"
        ).fetchone() == (True,)
        assert connection.execute("select pg_has_role('authenticated', 'usage')").fetchone() == (True,)
        assert connection.execute("select count(*) from rushes.removed_jobs").fetchone() == (0,)


def test_what_is_restored_works(source: str, empty: str, tmp_path: Path):
    """People sign in, the feed lists, jobs are taken in, and no cursor of before is good for anything."""
    file = tmp_path / "rushes.backup"
    backup.back_up(source, file)
    backup.restore(empty, file)
    with Stand(empty, tmp_path / "app", dispatchers=0) as app:
        ((owner,),) = app.sql("select distinct user_id from workflow_jobs where title is not null")
        listed = app.signed_in(UUID(str(owner))).get("/api/jobs").json()["data"]
        assert {one["title"] for one in listed} == {"héllo \N{SNOWMAN}"}
        new = app.person()
        with new.listening() as events:
            made = new.submit("img2img", {"prompt": "x", **_image(app)})
            assert events.next().data["id"] == made["id"], "nothing of before is told again"
        answer = new.get("/api/events", headers={"Last-Event-ID": "5:"})
        assert answer.status_code == 400
        assert "too old" in answer.text


def test_only_into_an_empty_one(source: str, empty: str, tmp_path: Path):
    file = tmp_path / "rushes.backup"
    backup.back_up(source, file)
    before = content(source)
    with pytest.raises(Conflict, match=r"in use|already"):
        backup.restore(source, file)
    assert content(source) == before
    asyncio.run(migrate(empty))
    with psycopg.connect(empty) as connection:
        connection.execute("insert into auth.users (id) values (gen_random_uuid())")
    with pytest.raises(Conflict, match="accounts already"):
        backup.restore(empty, file)
    with psycopg.connect(empty), pytest.raises(Conflict, match="in use"):
        backup.restore(empty, file)
    with psycopg.connect(empty) as connection:
        connection.execute("delete from auth.users")
    backup.restore(empty, file)  # a schema without rows is as good as none
    assert len(content(empty)["public.workflow_jobs"]) == 3


def test_an_existing_file_is_not_overwritten(source: str, tmp_path: Path):
    (file := tmp_path / "rushes.backup").write_text("precious")
    with pytest.raises(Conflict, match="there already"):
        backup.back_up(source, file)
    assert file.read_text() == "precious"


def test_damage_is_noticed_before_anything_is_touched(source: str, empty: str, tmp_path: Path):
    file = tmp_path / "rushes.backup"
    backup.back_up(source, file)
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"PK" + whole[2:500], flipped(whole)):
        (bad := tmp_path / "bad").write_bytes(damaged)
        with pytest.raises(RushesError):
            backup.restore(empty, bad)
    assert content(empty).keys() == {"auth.users"}


def flipped(whole: bytes) -> bytes:
    middle = len(whole) // 3
    return whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]


def rewritten(file: Path, target: Path, **changes: object) -> Path:
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        contents = json.loads(old.read("contents.json")) | changes
        new.writestr("database.dump", old.read("database.dump"))
        new.writestr("contents.json", json.dumps(contents))
    return target


def test_what_differs_is_said(source: str, empty: str, tmp_path: Path):
    file = tmp_path / "rushes.backup"
    rows = backup.back_up(source, file).rows
    lying = rewritten(file, tmp_path / "lying", rows=rows | {"public.workflow_jobs": 4})
    with pytest.raises(Unavailable, match=r"public\.workflow_jobs differ"):
        backup.restore(empty, lying)
    with pytest.raises(InvalidFile, match="newer Rushes"):
        backup.read(rewritten(file, tmp_path / "newer", format=2))


def test_by_command(tmp_path: Path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first, second = Rushes(tmp_path / "first"), Rushes(tmp_path / "second")
    file = tmp_path / "rushes.backup"
    try:
        assert first.run("db", "migrate").code == 0
        assert first.run("jobs", "list").code == 0
        done = first.run("db", "backup", str(file))
        assert done.code == 0, done
        done = second.run("db", "restore", str(file), "--json")
        assert done.code == 0, done
        assert json.loads(done.out)["rows"]["auth.users"] == 1, "the administrator"
        once_more = second.run("db", "restore", str(file))
        assert (once_more.code, "already" in once_more.err) == (1, True)
        newer = rewritten(file, tmp_path / "newer", migrations=["29990101000000"])
        refused = second.run("db", "restore", str(newer))
        assert (refused.code, "newer Rushes" in refused.err) == (1, True)
    finally:
        for one in (first, second):
            EmbeddedPostgres(one.data_dir).remove()
            shutil.rmtree(one.data_dir, ignore_errors=True)
