"""The real supabase/storage server, where RUSHES_TEST_SUPABASE_URL and RUSHES_TEST_SUPABASE_KEY name one.

The URL is a project's, or that of a bare storage server.
"""

import os
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from rushes.adapters.storage.supabase import SupabasePlace, SupabaseStorage


def real_url() -> str:
    return os.environ.get("RUSHES_TEST_SUPABASE_URL", "").rstrip("/")


def new_bucket() -> str:
    return f"rushes-{uuid.uuid4().hex[:12]}"


def real_place() -> SupabasePlace:
    """A bucket there that isn't made yet."""
    return SupabasePlace(bucket=new_bucket(), url=_api(), key=os.environ["RUSHES_TEST_SUPABASE_KEY"])


@cache
def _api() -> str:
    whole = f"{real_url()}/storage/v1"
    try:
        with urllib.request.urlopen(f"{whole}/status", timeout=10):
            return whole
    except urllib.error.HTTPError:
        return real_url()


@asynccontextmanager
async def opened(place: SupabasePlace) -> AsyncIterator[SupabaseStorage]:
    store = SupabaseStorage(place)
    await store.start()
    try:
        yield store
    finally:
        await store.aclose()
