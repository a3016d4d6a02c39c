"""Who uses the API. It may die at any moment, so they ask again, with the same Idempotency-Key."""

import time
from typing import Any
from uuid import uuid4

import httpx2

from tests.chaos.kinds import Kind, picture
from tests.chaos.town import Town

PATIENCE = 180.0


class Person:
    """An anonymous account and its token."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._http = httpx2.Client(base_url=town.url, timeout=20, trust_env=False)
        answer = self._ask("POST", "/api/auth/anonymous", wanted=(201,))
        self._http.headers["Authorization"] = f"Bearer {answer['token']}"
        self._http.cookies.clear()
        self.id: str = answer["user"]["id"]

    def submit(self, kind: Kind, mark: int, inputs: dict[str, Any]) -> str:
        """The job's id, once it is accepted for certain: however often that takes, it is one job."""
        if kind.takes_file:
            inputs = {**inputs, "image": {"upload_id": self._upload(mark)}}
        body = {"workflow_type": kind.name, "inputs": inputs, "title": f"mark {mark}"}
        key = uuid4().hex
        job = self._ask("POST", "/api/jobs", json=body, headers={"Idempotency-Key": key}, wanted=(200, 201))
        return str(job["id"])

    def cancel(self, job_id: str) -> bool:
        """Whether it was cancelled in time."""
        answer = self._ask("POST", f"/api/jobs/{job_id}/cancel", wanted=(200, 202, 409))
        return "error" not in answer

    def close(self) -> None:
        self._http.close()

    def _upload(self, mark: int) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            content = picture(mark)
            asked = {"filename": f"{mark}.png", "size_bytes": len(content), "content_type": "image/png"}
            upload = self._ask("POST", "/api/uploads", json=asked, wanted=(201,))
            try:
                stored = self._http.put(upload["put_url"], content=content)
            except httpx2.HTTPError:
                continue  # another upload: nobody knows how much of this one arrived
            if stored.status_code == 200:
                return str(upload["id"])
            time.sleep(0.1)
        raise AssertionError(f"no upload within {PATIENCE:g} s")

    def _ask(self, method: str, path: str, *, wanted: tuple[int, ...], **request: Any) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        last = "nothing"
        while time.monotonic() < end:
            try:
                answer = self._http.request(method, path, **request)
            except httpx2.HTTPError as error:
                last = repr(error)
            else:
                if answer.status_code in wanted:
                    found: dict[str, Any] = answer.json()
                    return found
                last = f"{answer.status_code} {answer.text[:300]}"
                refused = answer.status_code < 500 and "in_flight" not in answer.text
                assert not refused, f"{method} {path}: {last}"
            time.sleep(0.1)
        raise AssertionError(f"{method} {path} within {PATIENCE:g} s: {last}\n{self._town.timeline}")
