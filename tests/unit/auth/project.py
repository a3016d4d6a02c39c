"""A Supabase project as its tokens and its keys show it: real keys, a real HTTP server for the JWKS."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Claims = dict[str, Any]


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


class Key:
    """A signing key with its entry in the JWKS."""

    def __init__(
        self, kid: str, kind: str = "ES256", *, bits: int = 2048, curve: ec.EllipticCurve | None = None
    ):
        self.kid = kid
        self.algorithm = kind
        if kind == "ES256":
            self.private: Any = ec.generate_private_key(curve or ec.SECP256R1())
            described = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            self.private = rsa.generate_private_key(65537, bits)
            described = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.public: Claims = {**described, "kid": kid, "alg": kind, "use": "sig"}

    def pem(self) -> bytes:
        public: bytes = self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        return public

    def sign(self, claims: Claims, **header: Any) -> str:
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers={"kid": self.kid, **header})


class SupabaseProject:
    """`with SupabaseProject() as project: project.token(…)`. `keys` is what it publishes now."""

    def __init__(self) -> None:
        self.keys = [Key("one"), Key("two", "RS256")]
        self.asked = 0
        self.slow = 0.0
        self.broken = False
        self.body: bytes | None = None
        project = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                project.asked += 1
                time.sleep(project.slow)
                body = project.body or json.dumps({"keys": [key.public for key in project.keys]}).encode()
                known = self.path == "/auth/v1/.well-known/jwks.json" and not project.broken
                self.send_response(200 if known else 500)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def issuer(self) -> str:
        return f"{self.url}/auth/v1"

    def claims(self, **changes: Any) -> Claims:
        """As Supabase's tokens have them; `...` leaves one out."""
        now = int(time.time())
        whole = {
            "iss": self.issuer, "sub": str(uuid4()), "aud": "authenticated", "exp": now + 3600, "iat": now,
            "email": "anna@example.org", "phone": "", "role": "authenticated", "aal": "aal1",
            "app_metadata": {"provider": "email", "providers": ["email"]}, "user_metadata": {},
            "session_id": str(uuid4()), "is_anonymous": False, **changes,
        }  # fmt: skip
        return {name: value for name, value in whole.items() if value is not ...}

    def token(self, *, key: int = 0, **changes: Any) -> str:
        return self.keys[key].sign(self.claims(**changes))


def by_hand(header: Claims, claims: Claims, signature: bytes) -> str:
    """A token that no library would make."""
    return ".".join(
        [encoded(json.dumps(header).encode()), encoded(json.dumps(claims).encode()), encoded(signature)]
    )
