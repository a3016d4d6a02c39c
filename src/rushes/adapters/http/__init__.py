"""HTTP to other servers. Alone in importing httpx2."""

from rushes.adapters.http.client import Body, HttpClient, NoAnswer, Reason, Response, default_tls

__all__ = ["Body", "HttpClient", "NoAnswer", "Reason", "Response", "default_tls"]
