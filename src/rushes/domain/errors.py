"""Every error that Rushes raises on purpose, each with a stable code and an HTTP status.

RushesError
├── InvalidRequest            400 invalid_request
│   ├── InvalidCursor         400 invalid_cursor
│   ├── InvalidInput          422 invalid_input          (names the field)
│   ├── UnknownWorkflow       404 unknown_workflow
│   ├── InvalidFile           422 invalid_file
│   └── IdempotencyKeyReuse   422 idempotency_key_reuse
├── Unauthenticated           401 unauthenticated
├── Forbidden                 403 forbidden
├── NotFound                  404 not_found
├── Conflict                  409 conflict
│   └── IdempotencyInFlight   409 idempotency_in_flight
├── TooLarge                  413 too_large
├── QuotaExceeded             429 quota_exceeded
│   └── StorageQuotaExceeded  413 quota_exceeded         (it can't be stored until something is deleted)
├── TooManyRequests           429 rate_limited           (details["retry_after"], seconds)
├── InvalidWorkflow           422 invalid_workflow       (a manifest or graph that can't work)
├── Unavailable               503 unavailable
│   └── StorageFull           507 storage_full
└── InvalidSetting            500 invalid_setting        (start-up only)
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class RushesError(Exception):
    """Base of all errors meant for a user; `message` says what to do about it."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class InvalidRequest(RushesError):
    """The request can't be understood."""

    code = "invalid_request"
    status = 400


class InvalidCursor(InvalidRequest):
    """A paging cursor that is broken or belongs to another list."""

    code = "invalid_cursor"


class InvalidInput(InvalidRequest):
    """An input is missing, unknown, mistyped or out of range; `field` names the first one.

    `fields` maps every faulty field to its message.
    """

    code = "invalid_input"
    status = 422

    def __init__(self, fields: Mapping[str, str]) -> None:
        first = next(iter(fields))
        more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
        super().__init__(
            f"{first}: {fields[first]}{more}",
            details={"field": first, "fields": dict(fields)},
        )


class UnknownWorkflow(InvalidRequest):
    """No workflow type of that name is installed."""

    code = "unknown_workflow"
    status = 404


class InvalidFile(InvalidRequest):
    """A file is empty, damaged, or not what it says it is."""

    code = "invalid_file"
    status = 422


class IdempotencyKeyReuse(InvalidRequest):
    """The Idempotency-Key was used before with another body."""

    code = "idempotency_key_reuse"
    status = 422


class Unauthenticated(RushesError):
    """Nobody is signed in, or the credentials are not valid."""

    code = "unauthenticated"
    status = 401


class Forbidden(RushesError):
    """Signed in, but not allowed."""

    code = "forbidden"
    status = 403


class NotFound(RushesError):
    """It doesn't exist, or is somebody else's."""

    code = "not_found"
    status = 404


class Conflict(RushesError):
    """It isn't in the state that the request needs."""

    code = "conflict"
    status = 409


class IdempotencyInFlight(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency_in_flight"


class TooLarge(RushesError):
    """A body or file is over its limit."""

    code = "too_large"
    status = 413


class QuotaExceeded(RushesError):
    """A limit of the user or the installation is reached."""

    code = "quota_exceeded"
    status = 429


class StorageQuotaExceeded(QuotaExceeded):
    """A person's files have reached their limit."""

    status = 413


class TooManyRequests(RushesError):
    """Faster than the installation allows."""

    code = "rate_limited"
    status = 429


class InvalidWorkflow(RushesError):
    """A manifest or graph that can't work; `details["problems"]` lists all of them."""

    code = "invalid_workflow"
    status = 422


class Unavailable(RushesError):
    """A part that is needed (database, storage, server) doesn't answer."""

    code = "unavailable"
    status = 503


class StorageFull(Unavailable):
    """The object storage has no room left."""

    code = "storage_full"
    status = 507


class InvalidSetting(RushesError):
    """A setting is unknown or has a value that can't be used."""

    code = "invalid_setting"
