"""Settings: where they come from, what is refused and in which words, and that secrets stay secret."""

import json
import logging
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from rushes import observability
from rushes.domain.errors import InvalidSetting
from rushes.settings import Settings, load

SECRET = "hunter2-hunter2"  # what must not be seen


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder and an environment without settings."""
    for name in [name for name in os.environ if name.upper().startswith("RUSHES_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused() -> str:
    with pytest.raises(InvalidSetting) as caught:
        load()
    return caught.value.message


def test_defaults_need_nothing() -> None:
    found = load()
    assert found.data_dir == Path(".rushes")
    assert found.storage_dir == Path(".rushes/storage")
    assert found.comfy_urls == ()
    assert found.database_url is None


def test_what_is_given_beats_environment_beats_dotenv_beats_toml(
    empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_place / "rushes.toml").write_text('data_dir = "toml"\nlog = "error"\n')
    assert load().data_dir == Path("toml")
    (empty_place / ".env").write_text("RUSHES_DATA_DIR=dotenv\n")
    assert load().data_dir == Path("dotenv")
    monkeypatch.setenv("RUSHES_DATA_DIR", "environment")
    assert load().data_dir == Path("environment")
    assert load(data_dir="given").data_dir == Path("given")
    assert load(data_dir=None).data_dir == Path("environment")
    assert load().log == "error", "the files are read together"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("RUSHES_COMFY_URL", "RUSHES_COMFY_URLS"),
        ("RUSHES_DATABASE", "RUSHES_DATABASE_URL"),
        ("RUSHES_LOGG", "RUSHES_LOG"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_near_one(
    name: str, near: str, empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "x")
    assert f"{name} is no setting; did you mean {near}?" in refused()
    monkeypatch.delenv(name)
    (empty_place / ".env").write_text(f"{name}=x\n")
    assert f"did you mean {near}?" in refused()
    (empty_place / ".env").unlink()
    (empty_place / "rushes.toml").write_text(f'{name.removeprefix("RUSHES_").lower()} = "x"\n')
    assert f"did you mean {near}?" in refused()


def test_what_other_programs_and_commands_use_is_left_alone(
    empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_place / ".env").write_text(
        "POSTGRES_PASSWORD=x\nSUPABASE_ANON_KEY=x\nRUSHES_SERVER=x\nRUSHES_TOKEN=x\nRUSHES_TEST_X=1\nRUSHES_LOG=debug\n"
    )
    monkeypatch.setenv("RUSHES_SERVER", "x")
    monkeypatch.setenv("RUSHES_TEST_COMFY_URL", "x")
    assert load().log == "debug"


def test_an_empty_value_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load()
    for name in Settings.model_fields:
        monkeypatch.setenv(f"RUSHES_{name.upper()}", "")
    assert load() == plain


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "COMFY_URLS",
            "ftp://x",
            "RUSHES_COMFY_URLS: ftp://x is no ComfyUI address; write it as http://127.0.0.1:8188",
        ),
        ("COMFY_URLS", "http://h:99999", "is no ComfyUI address"),
        ("COMFY_URLS", "http://[::1", "is no ComfyUI address"),
        ("COMFY_URLS", "http://h/?a=1", "is no ComfyUI address"),
        ("DATABASE_URL", "mysql://u@h/x", "postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "postgresql+asyncpg://u@h/x", "postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "h/x", "postgresql://user:password@host:5432/name"),
        ("DATABASE_LISTEN_URL", "no", "postgresql://"),
        ("STORAGE_URL", "s3://bucket/folder", "file:///path"),
        ("STORAGE_URL", "file://relative", "file:///path"),
        ("PUBLIC_URL", "rushes.example.com", "https://rushes.example.com"),
        ("LOG", "loud", "loud is unknown; use debug"),
        ("LIMIT_JOBS_PER_DAY", "0", "greater than or equal to 1"),
        ("LIMIT_UPLOAD_MB", "many", "integer"),
        ("LEASE_SECONDS", "nan", "RUSHES_LEASE_SECONDS"),
        ("LEASE_SECONDS", "1", "greater than or equal to 2"),
        ("DEFAULT_VISIBILITY", "secret", "'private', 'team' or 'public'"),
        ("PREVIEW", "yes", "'auto', 'always' or 'never'"),
    ],
)
def test_a_bad_value_names_the_setting_and_what_to_write(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RUSHES_{name}", value)
    message = refused()
    assert f"RUSHES_{name}: " in message
    assert words in message


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_LOG", "loud")
    monkeypatch.setenv("RUSHES_STORAGE_URL", "s3://x")
    message = refused()
    assert "RUSHES_LOG" in message
    assert "RUSHES_STORAGE_URL" in message


@pytest.mark.parametrize("content", [b"comfy_urls = [", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_a_broken_file_is_named(empty_place: Path, content: bytes) -> None:
    (empty_place / "rushes.toml").write_bytes(content)
    assert "rushes.toml" in refused()


def test_servers_come_as_text_or_list_without_doubles(
    empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_place / "rushes.toml").write_text('comfy_urls = ["http://a:1/", "b:2"]\n')
    assert load().comfy_urls == ("http://a:1", "http://b:2")
    monkeypatch.setenv("RUSHES_COMFY_URLS", " http://c, d:8188 ,,http://c/ ")
    assert load().comfy_urls == ("http://c", "http://d:8188")
    assert load(comfy_urls=("http://[::1]:8188",)).comfy_urls == ("http://[::1]:8188",)


def test_limits_can_be_off_and_paths_may_start_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_LIMIT_JOBS_PER_DAY", "off")
    monkeypatch.setenv("HOME", "/somewhere")
    found = load(data_dir="~/rushes", storage_url="file:///big%20disk/x")
    assert found.limit_jobs_per_day is None
    assert found.data_dir == Path("/somewhere/rushes")
    assert found.storage_dir == Path("/big disk/x")


def with_secrets() -> Settings:
    return load(
        database_url=f"postgresql://u:{SECRET}@h/db",
        database_listen_url=f"postgresql://u:{SECRET}@h/db",
        comfy_urls=(f"http://u:{SECRET}@gpu:8188",),
    )


def test_secrets_are_in_no_text_of_the_settings() -> None:
    found = with_secrets()
    shown = [
        repr(found),
        str(found),
        found.model_dump_json(),
        str(found.model_dump()),
        f"{found.database_url}",
    ]
    assert not [text for text in shown if SECRET in text]
    assert found.database_url is not None
    assert SECRET in found.database_url.get_secret_value()


def test_credentials_leave_the_address_and_go_as_a_header() -> None:
    found = with_secrets()
    assert found.comfy_urls == ("http://gpu:8188",)
    assert found.comfy_headers["http://gpu:8188"]["Authorization"].startswith("Basic ")
    assert found.model_copy(update={"preview": "always"}).comfy_headers == found.comfy_headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", f"mysql://u:{SECRET}@h/x"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@h:port/x"),
        ("DATABASE_LISTEN_URL", SECRET),
        ("COMFY_URLS", f"ftp://u:{SECRET}@h"),
        ("COMFY_URLS", f"http://u:{SECRET}@h:99999"),
    ],
)
def test_secrets_are_in_no_error(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"RUSHES_{name}", value)
    with pytest.raises(InvalidSetting) as caught:
        load()
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__, "a traceback would show the value"


@pytest.fixture
def loud() -> Iterator[None]:
    """Logging may be set up; it is as before afterwards."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("loud")
@pytest.mark.parametrize("setting", ["info,json", "debug,console"])
def test_secrets_are_in_no_log(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    observability.configure(setting)
    structlog.get_logger("t").info("starting", settings=with_secrets())
    logging.getLogger("t").warning("%r", with_secrets())
    heard = capsys.readouterr().err
    assert heard.count("Settings(") == 2
    assert SECRET not in heard


@pytest.mark.usefixtures("loud")
def test_levels_and_shapes_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    observability.configure("warning,json")
    structlog.get_logger("t").info("quiet")
    structlog.get_logger("t").warning("loud", n=1)
    heard = capsys.readouterr()
    assert heard.out == "", "data goes to stdout, and nothing else"
    assert [json.loads(line)["n"] for line in heard.err.splitlines()] == [1]


def test_settings_are_plain_values() -> None:
    assert pickle.loads(pickle.dumps(load())) == load()
