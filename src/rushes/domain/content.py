"""What a browser may be shown in place, and what it may only save."""

import re

# SVG and HTML above all are never in here: they can carry scripts.
_SHOWN = re.compile(r"(image/(png|jpeg|webp|gif|avif|bmp)|video/[\w.+-]+|audio/[\w.+-]+|text/plain)")
PLAIN_BYTES = "application/octet-stream"


def may_be_shown(content_type: str) -> bool:
    """Whether a browser may show it in place; everything else is only ever downloaded."""
    return _SHOWN.fullmatch(content_type) is not None


def harmless_type(content_type: str) -> str:
    """The type itself if it may be shown, otherwise plain bytes."""
    return content_type if may_be_shown(content_type) else PLAIN_BYTES
