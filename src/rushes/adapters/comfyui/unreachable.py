"""Why a server can't be used, in words that say what to look at."""

import socket
import ssl
from urllib.parse import urlsplit

from rushes.adapters.http import NoAnswer, Reason

# What callers tell apart themselves: a refusal, a file or route that isn't there, a body that is too large.
MEANT = frozenset({400, 404, 405, 413})


def strange_status(
    url: str, path: str, status: int, location: str | None = None, meant: frozenset[int] = MEANT
) -> str | None:
    """What a status says that no healthy ComfyUI gives; None for those that it does."""
    if 200 <= status < 300 or status in meant:
        return None
    if 300 <= status < 400:
        return (
            f"{url} redirects to {_origin(location)}, which is not followed. "
            "Configure the address where ComfyUI itself answers."
        )
    if status in (401, 403, 407):
        return (
            f"{url} refuses access ({status}). Does it want a login? Set the server's headers or credentials."
        )
    if status in (502, 503, 504):
        return f"The proxy at {url} can't reach ComfyUI ({status}). Is ComfyUI running behind it?"
    if status >= 500:
        return f"ComfyUI at {url} failed inside on {path.partition('?')[0]} ({status}). Its log says why."
    return f"{url} answered {status}, as no ComfyUI does. Is another program there?"


def in_words(url: str, error: Exception) -> str:
    """What went wrong on the way to a server."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The TLS certificate of {url} is not valid: {cause.verify_message}."
        if isinstance(cause, ssl.SSLError):
            return f"No TLS connection to {url} ({cause.reason or cause}). Should it be http://?"
        if isinstance(cause, socket.gaierror):
            return f"The host name in {url} is not known. Is it spelled right?"
        if isinstance(cause, ConnectionRefusedError):
            return f"Nothing answers at {url} (connection refused). Is ComfyUI running there?"
    return _plain(url, error)


def _plain(url: str, error: Exception) -> str:
    match error.reason if isinstance(error, NoAnswer) else None:
        case Reason.CONNECT_TIMEOUT:
            return (
                f"No answer from {url}: the connection timed out. Is the address right, and the machine up?"
            )
        case Reason.CONNECT:
            return f"Can't connect to {url}: {_said(error)}."
        case Reason.POOL:
            return f"Too many requests to {url} are still waiting for an answer."
        case Reason.STALLED:
            return f"{url} stopped answering in the middle of a request."
        case Reason.CUT:
            return f"{url} closed the connection before its answer was complete."
        case Reason.STRANGE:
            return f"{url} doesn't speak HTTP. Is another program there?"
        case Reason.NETWORK:
            return f"The connection to {url} was lost."
        case Reason.ADDRESS:
            return f"{url} is no address that can be contacted: {_said(error)}."
    return f"{url} can't be used: {_said(error)}."


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        found.extend(sub for sub in getattr(error, "exceptions", ()) if isinstance(sub, BaseException))
        error = error.__cause__ or error.__context__
    return found


def _said(error: Exception) -> str:
    return str(error).rstrip(". ") or type(error).__name__


def _origin(location: str | None) -> str:
    parts = urlsplit(location or "")
    return f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else (parts.path or "nowhere")[:200]
