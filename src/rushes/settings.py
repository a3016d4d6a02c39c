"""Settings: environment (RUSHES_*), `.env`, `rushes.toml`; unknown ones are refused."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, PostgresDsn, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rushes.domain.errors import InvalidSetting

PREFIX = "RUSHES_"
TEST_PREFIX = "RUSHES_TEST_"
CLIENT_NAMES = frozenset({"RUSHES_SERVER", "RUSHES_TOKEN"})  # options of commands, not settings
Switch = Literal["auto", "on", "off"]


class Settings(BaseSettings):
    """Every setting of an installation. The description of each is its documentation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", toml_file="rushes.toml", extra="forbid", validate_default=False
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
    comfy_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="ComfyUI servers, comma-separated: http://127.0.0.1:8188"
    )
    workflows_dir: Path | None = Field(
        None, description="A folder with workflow types of your own, beside the eight that ship"
    )
    storage_url: str | None = Field(
        None, description="Where files are kept: file:///path; by default in the data directory"
    )
    preview: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether jobs run the preview graphs, which need no models: auto does on the demo server only",
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
    limit_jobs_per_day: int | None = Field(
        500, ge=1, description="Jobs that one person may submit in 24 hours"
    )
    limit_jobs_waiting: int | None = Field(
        100, ge=1, description="Jobs of one person that may wait at a time"
    )
    limit_upload_video_mb: int = Field(500, ge=1, description="The largest video that may be uploaded, MB")
    limit_upload_mb: int = Field(50, ge=1, description="The largest other file that may be uploaded, MB")
    log: str = Field(
        "info", description="Level (debug, info, warning, error), and json or console: info,json"
    )

    @field_validator("comfy_urls", mode="before")
    @classmethod
    def _split_urls(cls, value: Any) -> Any:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("comfy_urls")
    @classmethod
    def _check_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(check_comfy_url(url) for url in urls))

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            PostgresDsn(url.get_secret_value())
        return url

    @field_validator("storage_url")
    @classmethod
    def _check_storage(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme != "file":
            raise ValueError("only file:///path can be used so far")
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
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def storage_dir(self) -> Path:
        """Where the local storage keeps its files."""
        return Path(urlsplit(self.storage_url).path) if self.storage_url else self.data_dir / "storage"


def check_comfy_url(url: str) -> str:
    """A ComfyUI address without its trailing slash. Raises ValueError."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{url} is no ComfyUI address; write it as http://127.0.0.1:8188")
    return parts.geturl().rstrip("/")


def load(**given: Any) -> Settings:
    """The settings, what is given first. Raises InvalidSetting naming the setting and what to do."""
    _refuse_unknown()
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [_line(fault) for fault in error.errors()]
        raise InvalidSetting("; ".join(lines)) from None


def _refuse_unknown() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in known | CLIENT_NAMES:
            raise InvalidSetting(f"{name} is no setting{_near(name, known)}. Unset it or correct its name.")


def _near(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _line(fault: Any) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else "settings"
    label = name.upper() if name.upper().startswith(PREFIX) else PREFIX + name.upper()
    if fault["type"] == "extra_forbidden":
        return f"{label} is no setting{_near(label, {PREFIX + f.upper() for f in Settings.model_fields})}"
    return f"{label}: {str(fault['msg']).removeprefix('Value error, ')}"
