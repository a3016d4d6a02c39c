"""Every file that the takeover stored, read again and hashed."""

import hashlib

from rushes.domain.errors import NotFound
from rushes.legacy.comparing import Difference
from rushes.legacy.queries import query
from rushes.legacy.transfer import Progress
from rushes.legacy.verify import Verification
from rushes.ports import ObjectStorage
from rushes.ports.legacy import LegacyDatabase


async def check_files(
    target: LegacyDatabase,
    storage: ObjectStorage,
    done: Verification,
    *,
    progress: Progress = lambda _table, _done, _total: None,
) -> None:
    """Adds what is missing, changed or in the wrong folder to `done`."""
    total = int((await target.fetch(query("verify_stored_count")))[0][0])
    done.files = {"checked": 0, "bytes": 0}
    place = {"table": "", "row": "", "slot": ""}
    while rows := await target.fetch(query("verify_stored"), place):
        for table, row, slot, key, sha256, size, prefix in rows:
            done.files["checked"] += 1
            done.files["bytes"] += size
            if prefix and not str(key).startswith(prefix):
                done.add(Difference(table, row, "file's folder", prefix, key))
            found = await _hashed(storage, key)
            if found != (sha256, size):
                done.add(
                    Difference(table, row, f"file {slot}", [sha256, size], list(found) if found else None)
                )
            progress("files", done.files["checked"], max(total, done.files["checked"]))
        place = dict(zip(("table", "row", "slot"), rows[-1][:3], strict=True))


async def _hashed(storage: ObjectStorage, key: str) -> tuple[str, int] | None:
    digest, size = hashlib.sha256(), 0
    try:
        async for block in storage.open(key):
            digest.update(block)
            size += len(block)
    except NotFound:
        return None
    return digest.hexdigest(), size
