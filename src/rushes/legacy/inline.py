"""data: URLs, decoded a piece at a time."""

import base64
import binascii
import re
from collections.abc import AsyncIterator
from urllib.parse import unquote_to_bytes

from rushes.legacy.places import Refused

PART = 4 * 1024**2
"""Characters a piece; a multiple of four."""
_HEAD_CHARS = 1010
_HEAD = re.compile(r"(?i:data):([^,]{0,1000}),", re.DOTALL)
_BLANK = re.compile(r"\s+")


async def decoded(parts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """The bytes of a data: URL that comes in pieces. Raises Refused when it is broken."""
    rest, base64_coded, begun = "", False, False
    async for part in parts:
        rest += part
        if not begun:
            head = _HEAD.match(rest)
            if not head:
                if len(rest) > _HEAD_CHARS:
                    raise Refused("its data: URL is broken")
                continue
            base64_coded, begun = head[1].strip().lower().endswith(";base64"), True
            rest = rest[head.end() :]
        whole, rest = _cut(rest, base64_coded)
        if whole:
            yield _bytes(whole, base64_coded)
    if not begun:
        raise Refused("its data: URL is broken")
    if rest:
        yield _bytes(unquoted(rest) if base64_coded else rest, base64_coded)


def _cut(text: str, base64_coded: bool) -> tuple[str, str]:
    """What can be decoded by itself, and what waits for more."""
    percent = text.rfind("%", len(text) - 2) if len(text) > 1 else text.find("%")
    text, open_end = (text, "") if percent < 0 else (text[:percent], text[percent:])
    if not base64_coded:
        return text, open_end
    text = _BLANK.sub("", unquoted(text))
    end = len(text) // 4 * 4
    return text[:end], text[end:] + open_end


def unquoted(text: str) -> str:
    """Some writers percent-encode base64's own signs."""
    if "%" not in text:
        return text
    return re.sub(r"%(2[BbFf]|3[Dd])", lambda found: chr(int(found[1], 16)), text)


def _bytes(text: str, base64_coded: bool) -> bytes:
    if not base64_coded:
        return unquote_to_bytes(text)
    try:
        padded = text.rstrip("=")
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("its data: URL is broken") from None
