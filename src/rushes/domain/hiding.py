"""Where servers are is for their administrators: what everybody reads names them, and no address."""

import re
from urllib.parse import urlsplit

SOME_SERVER = "the ComfyUI server"
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s,;()<>'\"]*[^\s,;()<>'\".:!?]", re.IGNORECASE)
_IP = re.compile(r"\(?'?\b\d{1,3}(?:\.\d{1,3}){3}\b'?(?:(?::|, )\d{1,5}\b)?\)?")
_PORT = re.compile(r":\d{1,5}$")


def without_addresses(text: str) -> str:
    """The words with "the ComfyUI server" for every URL and IP address."""
    told = _IP.sub(SOME_SERVER, _URL.sub(SOME_SERVER, text))
    return told[:1].upper() + told[1:]


def without_address(text: str, url: str) -> str:
    """The words without that one server's address; others may be what a person has asked for."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    ways = [url, parts.netloc, *([host] if re.search(r"[\d.-]", host) else [])]
    for way in filter(None, ways):
        text = re.sub(rf"(?<![\w.-]){re.escape(way)}(?![\w-])", SOME_SERVER, text)
    return text[:1].upper() + text[1:]


def public_name(name: str) -> str:
    """A server's name, unless it is an address, as it is where nobody gave it one."""
    return "a ComfyUI server" if "://" in name or _PORT.search(name) or _IP.fullmatch(name) else name
