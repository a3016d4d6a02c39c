"""Reading values of old rows, in Python: moments, percent signs, names as people count them, ids."""

import hashlib
import re
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

DAY = 86_400_000_000  # microseconds
SMALL = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
"""For str.translate: ASCII only, as PostgreSQL lowers in the collation C."""
EPOCH = "1970-01-01T00:00:00+00:00"
_MOMENT = re.compile(
    r"(\d{4,6})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?",
    re.ASCII,
)
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_RUNS = re.compile(r"[0-9]+|[^0-9]+")
_LAST = 9_224_318_016_000_000_000  # the end of 294276, as PostgreSQL has it
_FIRST = -210_866_803_200_000_000


def moment(told: object) -> int | None:
    """Microseconds since 1970; None for what is no moment (infinity is none)."""
    if not isinstance(told, str):
        return None
    if 22 <= len(told) <= 32 and told.endswith(("+00:00", "+00")) and told[10] in "T ":
        try:
            past = datetime.fromisoformat(told) - _ZERO
            return (past.days * 86400 + past.seconds) * 1_000_000 + past.microseconds
        except ValueError:
            pass
    return _any_moment(told)


def _any_moment(told: str) -> int | None:
    found = _MOMENT.fullmatch(told)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if not _exists(year, month, day) or minute > 59 or second > 60 or (hour, minute, second) > (24, 0, 0):
        return None
    year = 1 - year if found[12] else year
    micros = _days(year, month, day) * DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000
    micros += int((found[7] or "0").ljust(6, "0"))
    if found[8]:
        hours, minutes, seconds = (int(part or 0) for part in found.groups()[8:11])
        if hours > 15 or minutes > 59 or seconds > 59:
            return None
        shift = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000
        micros += -shift if found[8] == "+" else shift
    return micros if _FIRST <= micros < _LAST else None


def _exists(year: int, month: int, day: int) -> bool:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (
        year > 0 and 1 <= month <= 12 and 1 <= day <= (28 if month == 2 and not leap else _LENGTHS[month - 1])
    )


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 in the calendar that PostgreSQL extends to all years."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def text_of(value: object) -> str | None:
    """As `->>` gives it: None for null, true and false in small letters."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def unquoted(told: str) -> str | None:
    """Percent signs decoded; None when they are broken, no UTF-8, or NUL."""
    if "%" not in told:
        return told
    if _BROKEN.search(told):
        return None
    try:
        return unquote_to_bytes(told).decode()
    except UnicodeDecodeError:
        return None


def basename(path: str) -> str:
    """What stands after the last / or \\."""
    return path[max(path.rfind("/"), path.rfind("\\")) + 1 :]


def natural(name: str) -> str:
    """A key by which 2 comes before 10."""
    parts = (
        f"0{len(bare):06d}{bare}" if run[0].isdigit() and run.isascii() else run
        for run in _RUNS.findall(name)
        for bare in [run.lstrip("0")]
    )
    return "\x01".join(parts)


def job_uuid(table: str, row: str, micros: int) -> str:
    """UUIDv7-shaped, from the time and sha256(table|id)."""
    digest = hashlib.sha256(f"{table}|{row}".encode()).hexdigest()
    milliseconds = min(max(micros // 1000, 0), 2**48 - 1)
    digits = f"{milliseconds:012x}7{digest[:3]}{'89ab'[int(digest[3], 16) & 3]}{digest[4:19]}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def digest_of(told: str) -> str:
    """How a slot's text is recognized again."""
    return hashlib.sha256(told.encode()).hexdigest()
