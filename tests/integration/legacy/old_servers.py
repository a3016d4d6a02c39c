"""An old storage and an old ComfyUI, as HTTP servers, which remember what was asked of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6364f80f00010501012718e3660000000049454e44ae426082"
)
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(200_000)


@dataclass
class OldServers:
    """`objects`: bucket/path → (content type, bytes); `private` buckets want the key. `views`: (type, subfolder, name)."""

    url: str = ""
    key: str = "old-key"
    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    views: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)


@contextmanager
def running(old: OldServers) -> Iterator[OldServers]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            old.asked.append(self.path)
            parts = urlsplit(self.path)
            path = unquote(parts.path)
            if path in old.redirects:
                self.send_response(302)
                self.send_header("Location", old.redirects[path])
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif path == "/view":
                asked = {
                    name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
                }
                self.answer(
                    old.views.get((asked["type"], asked["subfolder"], asked["filename"])), "image/png"
                )
            else:
                self.stored(path)

        def stored(self, path: str) -> None:
            signed, _, rest = path.removeprefix("/storage/v1/object/").partition("/")
            found = old.objects.get(rest)
            if rest.partition("/")[0] in old.private and (
                signed != "authenticated" or self.headers.get("Authorization") != f"Bearer {old.key}"
            ):
                found = None
            self.answer(found[1] if found else None, found[0] if found else "", cut=rest in old.broken)

        def answer(self, body: bytes | None, content_type: str, *, cut: bool = False) -> None:
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", content_type or "application/json")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write((body or b"")[: len(body or b"") // 2 if cut else None])
            if cut:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    old.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield old
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
