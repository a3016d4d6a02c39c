"""The object storage that the settings name."""

import ipaddress
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from rushes.adapters.storage.address import S3Address, SupabaseAddress
from rushes.adapters.storage.local import LocalStorage
from rushes.adapters.storage.s3 import S3Keys, S3Place, S3Storage
from rushes.adapters.storage.s3.place import AWS_REGION
from rushes.adapters.storage.supabase import SupabasePlace, SupabaseStorage
from rushes.domain.errors import InvalidSetting
from rushes.settings import Settings

Store = LocalStorage | S3Storage | SupabaseStorage


@asynccontextmanager
async def open_storage(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> AsyncIterator[Store]:
    """The store, its folder or bucket made if need be. Raises Unavailable, InvalidSetting."""
    store = _store(settings, environment)
    try:
        await store.start()
        yield store
    finally:
        await store.aclose()


def storage_in_words(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """Where files are kept, without any secret."""
    match settings.storage:
        case S3Address(bucket=bucket) as address:
            return f"bucket {bucket} at {s3_place(address, environment).origin}"
        case SupabaseAddress(bucket=bucket):
            return f"bucket {bucket} at {settings.supabase_url}"
    return str(settings.storage_dir)


def s3_place(address: S3Address, environment: Mapping[str, str]) -> S3Place:
    """The address, and what the usual AWS variables add to it. Raises InvalidSetting."""
    return S3Place(
        bucket=address.bucket,
        region=address.region or _first(environment, "AWS_REGION", "AWS_DEFAULT_REGION") or AWS_REGION,
        endpoint=address.endpoint or _first(environment, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        virtual_host=address.virtual_host,
        keys=_keys(environment),
    )


def _store(settings: Settings, environment: Mapping[str, str]) -> Store:
    match settings.storage:
        case S3Address() as address:
            place = s3_place(address, environment)
            return S3Storage(place, signed=_straight(settings, place.origin))
        case SupabaseAddress(bucket=bucket) if settings.supabase_url and settings.supabase_secret_key:
            project = SupabasePlace(
                bucket=bucket,
                url=f"{settings.supabase_url.rstrip('/')}/storage/v1",
                key=settings.supabase_secret_key.get_secret_value(),
            )
            return SupabaseStorage(project, signed=_straight(settings, project.origin))
    assert settings.storage_dir is not None
    return LocalStorage(settings.storage_dir)


def _straight(settings: Settings, origin: str) -> bool:
    """Whether browsers are sent to the store itself: where they can most likely reach it."""
    if settings.storage_direct != "auto":
        return settings.storage_direct == "on"
    parts = urlsplit(origin)
    return parts.scheme == "https" or (settings.public_url is None and _is_loopback(parts.hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _keys(environment: Mapping[str, str]) -> S3Keys | None:
    key_id, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not key_id and not secret:
        return None
    if not key_id or not secret:
        raise InvalidSetting(
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both, or neither."
        )
    return S3Keys(key_id, secret, environment.get("AWS_SESSION_TOKEN") or None)


def _first(environment: Mapping[str, str], *names: str) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)
