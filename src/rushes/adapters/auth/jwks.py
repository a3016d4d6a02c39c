"""The public keys of a Supabase project, as it publishes them."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from rushes.domain.errors import Unavailable

log = structlog.get_logger("rushes.auth")

FRESH_SECONDS = 300.0  # after that they are fetched again beside the work
VALID_SECONDS = 600.0  # after that nothing is believed until they have been
PAUSE_SECONDS = 10.0  # between two fetches, whatever tokens come
FETCH_SECONDS = 5.0
SIZE_LIMIT = 256 * 1024
RSA_BITS = 2048

Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key, and the one algorithm that it may be used with."""

    algorithm: str
    key: EllipticCurvePublicKey | RSAPublicKey


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Keys come from the address that was set, and from nowhere else."""


def fetch(url: str) -> bytes:
    """Blocks. Raises OSError, ValueError or HTTPException."""
    request = Request(url, headers={"Accept": "application/json"})  # noqa: S310  # http(s): settings see to it
    with build_opener(_NoRedirect()).open(request, timeout=FETCH_SECONDS) as answer:
        content: bytes = answer.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise ValueError("the answer is too long")
    return content


class Jwks:
    """Fetched when they are needed, once for everybody who waits; never older than 10 minutes."""

    def __init__(self, url: str, *, fetch: Fetch = fetch) -> None:
        self._url = url
        self._fetch = fetch
        self._keys: dict[str, PublicKey] = {}
        self._fetched = self._tried = float("-inf")
        self._fault = ""
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> PublicKey | None:
        """The key of that id; an unknown one is looked for once more. Raises Unavailable."""
        age = time.monotonic() - self._fetched
        if age > VALID_SECONDS or (kid not in self._keys and self._rested()):
            await self._refetch()
            if time.monotonic() - self._fetched > VALID_SECONDS:
                raise Unavailable(
                    f"The keys of the Supabase project can't be read ({self._fault}): nobody can be recognised. "
                    "Check SUPABASE_URL and the network."
                )
        elif age > FRESH_SECONDS and self._rested():
            self._begin()
        return self._keys.get(kid)

    def _rested(self) -> bool:
        return time.monotonic() - self._tried > PAUSE_SECONDS

    async def _refetch(self) -> None:
        if self._fetching is None and not self._rested():
            return
        # shielded: whoever goes away while waiting takes nothing away from the others
        await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._load(), name="jwks")
            self._fetching.add_done_callback(self._ended)
        return self._fetching

    def _ended(self, _: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _load(self) -> None:
        self._tried = time.monotonic()
        try:
            self._keys = parse(await asyncio.to_thread(self._fetch, self._url))
            self._fetched = time.monotonic()
        except (OSError, URLError, HTTPException, ValueError, RecursionError) as error:
            self._fault = str(getattr(error, "reason", error)) or type(error).__name__
            log.warning("keys of the Supabase project can't be read", url=self._url, error=self._fault)


def parse(content: bytes) -> dict[str, PublicKey]:
    """The usable keys by their ids; symmetric ones never are. Raises ValueError."""
    found = json.loads(content)
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError("the answer is no JWKS")
    keys = ((one.get("kid"), _public(one)) for one in listed if isinstance(one, dict))
    return {kid: key for kid, key in keys if isinstance(kid, str) and key is not None}


def _public(described: dict[str, Any]) -> PublicKey | None:
    algorithm = {"EC": "ES256", "RSA": "RS256"}.get(str(described.get("kty")))
    if (
        algorithm is None
        or described.get("alg", algorithm) != algorithm
        or described.get("use", "sig") != "sig"
    ):
        return None
    if "d" in described:
        return None  # a private key that was published is nobody's proof
    try:
        key = jwt.PyJWK(described, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) and algorithm == "ES256":
        return PublicKey(algorithm, key)
    if isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS and algorithm == "RS256":
        return PublicKey(algorithm, key)
    return None
