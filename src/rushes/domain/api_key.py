"""API keys: rsh_ and 40 characters, of which only a digest is kept."""

import hashlib
import re
from dataclasses import dataclass
from string import ascii_letters, digits

PREFIX = "rsh_"
ALPHABET = ascii_letters + digits
LENGTH = 40  # 238 bits
SHOWN = len(PREFIX) + 6  # what a list shows of a key
SCOPES = ("read", "submit", "admin")
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{LENGTH}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What people know a key by, and what it may do."""

    name: str
    prefix: str
    scopes: tuple[str, ...]


def is_api_key(token: str) -> bool:
    """Whether a token is meant as an API key."""
    return token.startswith(PREFIX)


def digest_of(key: str) -> str | None:
    """What is stored of a key; None for what can't be one. A plain hash will do: a key can't be guessed."""
    return hashlib.sha256(key.encode()).hexdigest() if _FORM.fullmatch(key) else None
