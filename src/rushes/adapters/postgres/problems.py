"""PostgreSQL's errors, in words that say what to check."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import PoolClosed, PoolTimeout

from rushes.domain.errors import Unavailable

# What the server says when it can't go on, and what to do about it. Everything else is a fault of ours.
_WORDS: dict[type[psycopg.Error], str] = {
    errors.DiskFull: "The database's disk is full: free some space there; nothing was written.",
    errors.ReadOnlySqlTransaction: "The database is read-only: it is a standby, or over its disk limit.",
    errors.TooManyConnections: "The database takes no more connections: raise max_connections, "
    "use a pooler, or run fewer processes.",
    errors.OutOfMemory: "The database is out of memory: give it more, or lower its work_mem.",
    errors.QueryCanceled: "The database took too long over this: narrow the filters, or try again.",
    errors.LockNotAvailable: "Another transaction holds a lock for too long: try again.",
    errors.DeadlockDetected: "Two changes got in each other's way: try again.",
    errors.AdminShutdown: "The database was shut down: start it again.",
    errors.CrashShutdown: "The database crashed and is recovering: try again in a moment.",
    errors.CannotConnectNow: "The database is starting or stopping: try again in a moment.",
}


@contextmanager
def explained(dsn: str) -> Iterator[None]:
    """Turn what PostgreSQL can't help into Unavailable; statements that are wrong pass through."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable(
            f"No connection to {where(dsn)} became free in time: is the database up, "
            "and is the pool large enough for the load?"
        ) from error
    except PoolClosed as error:
        raise Unavailable("The connection pool is closed: the process is stopping.") from error
    except psycopg.OperationalError as error:
        raise Unavailable(_words(error, dsn)) from error
    except (errors.ReadOnlySqlTransaction, errors.QueryCanceled, errors.LockNotAvailable) as error:
        raise Unavailable(_words(error, dsn)) from error


def where(dsn: str) -> str:
    """Host, port and database of a connection string, without its credentials."""
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        return "the database"
    host = parts.get("host") or "the local socket"
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"the database {parts.get('dbname') or ''} at {host}{port}".replace("database  at", "database at")


def _words(error: psycopg.Error, dsn: str) -> str:
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    place = where(dsn)
    said = str(error).strip().partition("\n")[0].removeprefix("connection failed: ")
    return (
        f"{place[0].upper()}{place[1:]} doesn't answer ({said or 'no reason given'}): "
        "check that it runs and that RUSHES_DATABASE_URL is right."
    )
