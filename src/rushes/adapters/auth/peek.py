"""What kind of token it is, before anything about it is verified."""

import base64
import binascii
import json
from typing import Any

TOKEN_LIMIT = 16_384  # characters; Supabase's have about a thousand


def issuer_of(token: str) -> str | None:
    """Who a JWT says that it is from. Nothing may be trusted by that."""
    found = _part(token, 1).get("iss")
    return found if isinstance(found, str) else None


def _part(token: str, place: int) -> dict[str, Any]:
    parts = token.split(".", 3) if len(token) <= TOKEN_LIMIT else []
    if len(parts) != 3:
        return {}
    try:
        text = base64.urlsafe_b64decode(parts[place] + "=" * (-len(parts[place]) % 4))
        found = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
