"""The bucket itself: made when it is missing, refused when the whole world may read it."""

import json
from typing import Any

from rushes.adapters.http import NoAnswer
from rushes.adapters.storage.supabase.api import JSON_TYPE, StorageApi
from rushes.adapters.storage.supabase.faults import Refusal, in_words
from rushes.domain.errors import InvalidSetting

TUS_PATH = "/upload/resumable"


async def prepare_bucket(api: StorageApi) -> None:
    """Make it, private. Raises Unavailable, InvalidSetting."""
    try:
        await _look(api)
    except Refusal as error:
        if not error.no_bucket:
            raise in_words(api.place, error) from error
        await _make(api)
    except NoAnswer as error:
        raise in_words(api.place, error) from error


async def check_bucket(api: StorageApi) -> None:
    """Raise Unavailable when it can't be reached."""
    try:
        await _look(api)
    except (Refusal, NoAnswer) as error:
        raise in_words(api.place, error) from error


async def size_limit(api: StorageApi) -> int | None:
    """The most bytes that one object may have: the bucket's limit, else the project's. Raises Refusal, NoAnswer."""
    most = (await _found(api)).get("file_size_limit")
    if most is None:
        said = await api.once("OPTIONS", TUS_PATH, body=None, headers={"Tus-Resumable": "1.0.0"})
        most = said.headers.get("tus-max-size")
    return int(most) if most else None


async def _found(api: StorageApi) -> dict[str, Any]:
    found: dict[str, Any] = (
        await api.once("GET", f"/bucket/{api.place.bucket}", body=None, headers={})
    ).json()
    return found


async def _look(api: StorageApi) -> None:
    found = await _found(api)
    if found.get("public"):
        raise InvalidSetting(
            f"The bucket {api.place.bucket} of {api.place.url} is public: whoever guesses a path reads the file. "
            "Make it private in the project's Storage settings, or name another bucket in RUSHES_STORAGE_URL."
        )


async def _make(api: StorageApi) -> None:
    wanted = {"id": api.place.bucket, "name": api.place.bucket, "public": False}
    try:
        await api.once("POST", "/bucket", body=json.dumps(wanted).encode(), headers=JSON_TYPE)
    except (Refusal, NoAnswer) as error:
        if not (isinstance(error, Refusal) and error.status == 409):  # another process was faster
            raise in_words(api.place, error) from error
    await check_bucket(api)
