"""Object keys: the one storage layout, and the stable URLs that share its words."""

import re
import unicodedata
from uuid import UUID

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_KEY = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_NAME_LIMIT = 100


def safe_name(filename: str, fallback: str = "file") -> str:
    """An ASCII file name of at most 100 characters, kept recognisable; never empty, hidden or a path."""
    base = filename.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, ending = base.rpartition(".")
    if not dot:
        stem, ending = base, ""
    extension = _plain(ending, 10)
    stem = _plain(stem, _NAME_LIMIT - len(extension) - 1) or fallback
    return f"{stem}.{extension}" if extension else stem


def _plain(text: str, limit: int) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _UNSAFE.sub("-", ascii_text).strip("-.")[:limit].rstrip("-.")


def job_prefix(workflow_type: str, job_id: UUID | str) -> str:
    """The folder of one job, with a trailing slash."""
    return f"workflows/{workflow_type}/{job_id}/"


def job_key(workflow_type: str, job_id: UUID | str, name: str) -> str:
    """The key of a job's file."""
    return job_prefix(workflow_type, job_id) + name


def upload_key(user_id: UUID, upload_id: UUID, filename: str) -> str:
    """The key of a file that no job has taken yet."""
    return f"uploads/{user_id}/{upload_id}/{safe_name(filename)}"


def upload_parts_prefix(user_id: UUID, upload_id: UUID) -> str:
    """The folder of what has come so far of an upload, with a trailing slash; the database knows it too."""
    return f"uploads/{user_id}/{upload_id}-parts/"


def public_url(key: str) -> str:
    """The application's URL of a key: it never expires."""
    return f"/storage/{key}"


def is_valid_key(key: str) -> bool:
    """Whether a key is of our own making: plain segments, no dot segments, bounded."""
    if len(key) > 512 or not _KEY.fullmatch(key):
        return False
    return all(part not in (".", "..") for part in key.split("/"))


def attempt_suffix(attempt: int) -> str:
    """What objects of attempt n > 1 carry in their name, so that a late runner overwrites nothing."""
    return "" if attempt <= 1 else f"-{attempt}"
