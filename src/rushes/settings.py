"""Settings: environment (RUSHES_*), `.env`, `rushes.toml`; unknown ones are refused."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rushes.adapters.comfyui.address import Address
from rushes.adapters.storage.address import (
    FolderAddress,
    StorageAddress,
    SupabaseAddress,
    parse_storage_url,
)
from rushes.domain.errors import InvalidSetting

PREFIX = "RUSHES_"
TEST_PREFIX = "RUSHES_TEST_"
CLIENT_NAMES = frozenset({"RUSHES_SERVER", "RUSHES_TOKEN"})  # options of commands, not settings
ENV_FILE, TOML_FILE = ".env", "rushes.toml"
# Supabase's own names, which other programs read too
SUPABASE_NAMES = frozenset({"SUPABASE_URL", "SUPABASE_JWT_SECRET", "SUPABASE_SECRET_KEY"})
Switch = Literal["auto", "on", "off"]
AuthKind = Literal["local", "supabase"]


class Settings(BaseSettings):
    """Every setting of an installation. The description of each is its documentation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        env_file=ENV_FILE,
        toml_file=TOML_FILE,
        extra="forbid",
        validate_default=False,
        validate_by_name=True,
    )

    data_dir: Path = Field(
        Path(".rushes"), description="Where database, files and keys of this installation live"
    )
    database_url: SecretStr | None = Field(
        None,
        description="A PostgreSQL 15 or newer instead of the embedded one: postgresql://user:password@host/name",
    )
    database_listen_url: SecretStr | None = Field(
        None,
        description="A session connection for LISTEN when RUSHES_DATABASE_URL is a transaction pooler; "
        "`off` means polling only",
    )
    database_pooler: bool = Field(
        False, description="RUSHES_DATABASE_URL is a transaction pooler: no prepared statements, no LISTEN"
    )
    database_connections: int = Field(
        18,
        ge=3,
        le=1000,
        description="How many connections one process opens for its statements; it listens on one or two more. "
        "All processes together must stay under the database's max_connections",
    )
    comfy_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="ComfyUI servers, comma-separated: http://127.0.0.1:8188; http://name:password@host signs in there",
    )
    workflows_dir: Path | None = Field(
        None, description="A folder with workflow types of your own, beside the eight that ship"
    )
    preview: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether jobs run the preview graphs, which need no models: auto does on the demo server only",
    )
    supabase_url: str | None = Field(
        None,
        validation_alias=AliasChoices("RUSHES_SUPABASE_URL", "SUPABASE_URL"),
        description="A Supabase project, https://<ref>.supabase.co, whose people may sign in; "
        "`SUPABASE_URL` is read too",
    )
    supabase_jwt_secret: SecretStr | None = Field(
        None,
        min_length=32,
        validation_alias=AliasChoices("RUSHES_SUPABASE_JWT_SECRET", "SUPABASE_JWT_SECRET"),
        description="Only for projects that still sign with HS256; `SUPABASE_JWT_SECRET` is read too",
    )
    supabase_secret_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("RUSHES_SUPABASE_SECRET_KEY", "SUPABASE_SECRET_KEY"),
        description="A secret key of the Supabase project, for its storage; `SUPABASE_SECRET_KEY` is read too",
    )
    storage_url: str | None = Field(
        None,
        description="Where files are kept: file:///path, s3://bucket?endpoint=…&region=… or supabase://bucket; "
        "by default in the data directory",
    )
    storage_direct: Switch = Field(
        "auto",
        description="Whether browsers fetch and send files straight from and to S3 or Supabase, by signed URLs: "
        "auto does where the store has https",
    )
    auth: Annotated[tuple[AuthKind, ...], NoDecode] = Field(
        (),
        description="Whose accounts are taken: local, supabase, or both with a comma; "
        "by default supabase where its address is set, else local",
    )
    sign_up: Switch = Field(
        "auto",
        description="Whether people may make local accounts with a password themselves: "
        "auto allows it on loopback addresses only",
    )
    anonymous: Switch = Field(
        "auto",
        description="Whether every browser gets an anonymous account of its own: auto does on loopback addresses only",
    )
    public_url: str | None = Field(None, description="The address that people use, if it isn't host and port")
    default_visibility: Literal["private", "team", "public"] = Field(
        "private", description="Who sees a new job: its owner, everybody who is signed in, everybody"
    )
    keep_metadata: bool = Field(
        False, description="Leave the prompt and graph that ComfyUI writes into its output files in them"
    )
    lease_seconds: float = Field(
        30.0, ge=2, le=3600, description="After how many seconds a dead dispatcher's jobs are taken over"
    )
    stall_minutes: float = Field(
        30.0,
        gt=0,
        description="After how many minutes without any movement a running prompt is given up and run elsewhere",
    )
    affinity_seconds: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="For how long a job may be passed over for jobs whose models are loaded",
    )
    limit_jobs_running: int | None = Field(
        4, ge=1, description="Jobs of one person that run at a time; the local administrator has no limit"
    )
    limit_jobs_per_day: int | None = Field(
        500, ge=1, description="Jobs that one person may submit in 24 hours; `off` is no limit"
    )
    limit_jobs_waiting: int | None = Field(
        100, ge=1, description="Jobs of one person that may wait at a time; `off` is no limit"
    )
    limit_stored_gb: float | None = Field(
        20.0, gt=0, description="What one person may have stored, GB; `off` is no limit"
    )
    retain_completed_days: float | None = Field(
        None, gt=0, description="Days after which completed jobs go for good, files and all; by default never"
    )
    retain_failed_days: float | None = Field(7, gt=0, description="The same for failed jobs; `off` is never")
    retain_cancelled_days: float | None = Field(
        7, gt=0, description="The same for cancelled ones; `off` is never"
    )
    retain_trash_days: float | None = Field(
        30, gt=0, description="Days until what is in the trash goes for good; `off` is never"
    )
    retain_events_days: float | None = Field(
        90, gt=0, description="Days that the log of ended jobs is kept; `off` is for ever"
    )
    limit_submits_per_minute: int | None = Field(
        600,
        ge=1,
        description="Submits of one person a minute, and new anonymous accounts; five times as many from one address; "
        "`off` is no limit",
    )
    limit_sign_ins_per_minute: int | None = Field(
        10,
        ge=1,
        description="Attempts to sign in to one account a minute; five times as many from one address; "
        "`off` is no limit",
    )
    limit_upload_video_mb: int = Field(500, ge=1, description="The largest video that may be uploaded, MB")
    limit_upload_mb: int = Field(50, ge=1, description="The largest other file that may be uploaded, MB")
    metrics_token: SecretStr | None = Field(
        None,
        description="Who sends it as a bearer token may read /metrics; without it, only administrators, "
        "and on loopback addresses everybody",
    )
    log: str = Field(
        "info", description="Level (debug, info, warning, error), and json or console: info,json"
    )

    _comfy_headers: dict[str, dict[str, str]] = PrivateAttr(default_factory=dict)

    @field_validator("comfy_urls", "auth", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("comfy_urls")
    @classmethod
    def _check_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(check_comfy_url(url) for url in urls))

    @model_validator(mode="after")
    def _hide_credentials(self) -> Self:
        """Names and passwords leave the addresses, which are stored with jobs, shown and logged."""
        for address in map(Address.parse, self.comfy_urls):
            self._comfy_headers[address.url] = dict(address.headers)
        self.comfy_urls = tuple(self._comfy_headers)
        return self

    @field_validator("data_dir", "workflows_dir")
    @classmethod
    def _at_home(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path else path

    @field_validator(
        "limit_jobs_running", "limit_jobs_per_day", "limit_jobs_waiting", "limit_stored_gb",
        "limit_submits_per_minute", "limit_sign_ins_per_minute", "retain_completed_days", "retain_failed_days",
        "retain_cancelled_days", "retain_trash_days", "retain_events_days", mode="before",
    )  # fmt: skip
    @classmethod
    def _no_limit(cls, value: Any) -> Any:
        return None if value == "off" else value

    @field_validator("supabase_url")
    @classmethod
    def _check_supabase(cls, url: str | None) -> str | None:
        if url is not None and not _is_http(url):
            raise ValueError("write it as https://<ref>.supabase.co")
        return url and url.rstrip("/")

    @field_validator("auth")
    @classmethod
    def _check_kinds(cls, kinds: tuple[AuthKind, ...], info: ValidationInfo) -> tuple[AuthKind, ...]:
        if "supabase" in kinds and info.data.get("supabase_url") is None:
            raise ValueError("supabase needs the project's address; set SUPABASE_URL")
        return tuple(dict.fromkeys(kinds))

    @field_validator("database_url", "database_listen_url")
    @classmethod
    def _check_database(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        off = info.field_name == "database_listen_url" and url and url.get_secret_value() == "off"
        if url and not off and not _is_postgres(url.get_secret_value()):
            raise ValueError("write it as postgresql://user:password@host:5432/name")
        return url

    @field_validator("storage_url")
    @classmethod
    def _check_storage(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is not None and isinstance(parse_storage_url(url), SupabaseAddress):
            for name in ("supabase_url", "supabase_secret_key"):
                if info.data.get(name) is None:
                    raise ValueError(f"supabase://… needs {name.upper()} too")
        return url

    @field_validator("public_url")
    @classmethod
    def _check_public(cls, url: str | None) -> str | None:
        if url is not None and not _is_http(url):
            raise ValueError("write it as https://rushes.example.com")
        return url

    @field_validator("log")
    @classmethod
    def _check_log(cls, value: str) -> str:
        known = {"debug", "info", "warning", "error", "json", "console"}
        odd = [part for part in value.lower().split(",") if part.strip() not in known]
        if odd:
            raise ValueError(f"{odd[0]} is unknown; use debug, info, warning or error, and json or console")
        return value.lower()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, _OwnLines(settings_cls), toml

    @property
    def comfy_headers(self) -> Mapping[str, Mapping[str, str]]:
        """What every request to a ComfyUI server carries, by its address."""
        return self._comfy_headers

    @property
    def auth_kinds(self) -> tuple[AuthKind, ...]:
        """Whose accounts are taken."""
        return self.auth or (("supabase",) if self.supabase_url else ("local",))

    @property
    def storage(self) -> StorageAddress:
        """Where files are kept."""
        return (
            parse_storage_url(self.storage_url)
            if self.storage_url
            else FolderAddress(self.data_dir / "storage")
        )

    @property
    def storage_dir(self) -> Path | None:
        """Where the local storage keeps its files; None where they are elsewhere."""
        address = self.storage
        return address.path if isinstance(address, FolderAddress) else None


class _OwnLines(DotEnvSettingsSource):
    """`.env`, which other programs use too: what isn't called RUSHES_… is not ours to refuse."""

    def _read_env_files(self) -> Mapping[str, str | None]:
        return {
            name: value
            for name, value in super()._read_env_files().items()
            if _is_ours(name) or name.upper() in SUPABASE_NAMES
        }


def check_comfy_url(url: str) -> str:
    """A ComfyUI address without its trailing slash. Raises ValueError, which shows no password."""
    full = url if "://" in url else f"http://{url}"
    if not _is_http(full):
        raise ValueError(f"{url.rpartition('@')[2]} is no ComfyUI address; write it as http://127.0.0.1:8188")
    return full.rstrip("/")


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that don't match, or a port that is no port
        return False
    return bool(usable) and not parts.query and not parts.fragment


def _is_postgres(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("postgres", "postgresql") and parts.port != 0
    except ValueError:
        return False


def _is_ours(name: str) -> bool:
    upper = name.upper()
    return upper.startswith(PREFIX) and not upper.startswith(TEST_PREFIX) and upper not in CLIENT_NAMES


def load(**given: Any) -> Settings:
    """The settings, what is given first. Raises InvalidSetting naming the setting and what to do."""
    _refuse_unknown(os.environ)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [_line(fault) for fault in error.errors(include_input=False)]
        raise InvalidSetting("; ".join(lines)) from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidSetting(f"{TOML_FILE} can't be read: {error}. Correct it.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{ENV_FILE} or {TOML_FILE} can't be read: {error}. Correct it.") from None


def _refuse_unknown(names: Iterable[str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in names:
        if _is_ours(name) and name.upper() not in known:
            raise InvalidSetting(f"{name} is no setting; {_near(name, known)}unset it or correct its name.")


def _near(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, 1, cutoff=0.75)
    return f"did you mean {near[0]}? Otherwise " if near else ""


def _line(fault: Any) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else "settings"
    own = name.upper().startswith(PREFIX) or name.upper() in SUPABASE_NAMES
    label = name.upper() if own else PREFIX + name.upper()
    if fault["type"] == "extra_forbidden":
        near = _near(label, {PREFIX + field.upper() for field in Settings.model_fields})
        return f"{label} (in {ENV_FILE} or {TOML_FILE}) is no setting; {near}remove it or correct its name"
    return f"{label}: {str(fault['msg']).removeprefix('Value error, ')}"
