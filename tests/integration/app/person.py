"""Somebody who uses the API over HTTP."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

LISTEN_SECONDS = 30
ENDED = ("completed", "failed", "cancelled")
Json = Any  # as parsed


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    data: Json
    id: str | None


class Person(httpx2.Client):
    """An HTTP client with what a person does often."""

    id: str

    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, timeout=30, trust_env=False)

    # --- files ----------------------------------------------------------------------------------

    def upload(self, filename: str, content: bytes, content_type: str | None = None) -> Json:
        """Announce and send; what the API said of the stored file."""
        asked = {"filename": filename, "size_bytes": len(content), "content_type": content_type}
        created = self.post("/api/uploads", json=asked)
        assert created.status_code == 201, created.text
        stored = self.put(created.json()["put_url"], content=content)
        assert stored.status_code == 200, stored.text
        return stored.json()

    def uploaded(self, filename: str, content: bytes) -> Json:
        """An upload, as `inputs` name it."""
        return {"upload_id": self.upload(filename, content)["id"]}

    # --- jobs -----------------------------------------------------------------------------------

    def submit(self, workflow_type: str, inputs: Json | None = None, **more: Any) -> Json:
        """A job that is accepted."""
        answer = self.post("/api/jobs", json={"workflow_type": workflow_type, "inputs": inputs or {}, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def job(self, job_id: str) -> Json:
        answer = self.get(f"/api/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, job_id: str, suits: Callable[[Json], Any], *, seconds: float = 30) -> Json:
        """The job, once it is as wanted."""
        end = time.monotonic() + seconds
        while not suits(job := self.job(job_id)):
            assert time.monotonic() < end, f"still not so after {seconds} s: {shown(job)}"
            time.sleep(0.02)
        return job

    def ended(self, job_id: str, *, seconds: float = 30) -> Json:
        return self.until(job_id, lambda job: job["status"] in ENDED, seconds=seconds)

    def until_answered(self, *, seconds: float = 20) -> None:
        """Until the API has its database again."""
        end = time.monotonic() + seconds
        while self.get("/api/jobs").status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.05)

    def completed(self, job_id: str, *, seconds: float = 30) -> Json:
        job = self.ended(job_id, seconds=seconds)
        assert job["status"] == "completed", shown(job)
        return job

    def failed(self, job_id: str, *, seconds: float = 30) -> Json:
        job = self.ended(job_id, seconds=seconds)
        assert job["status"] == "failed", shown(job)
        return job

    def attempts(self, job_id: str) -> Json:
        return self.get(f"/api/jobs/{job_id}/attempts").json()["data"]

    def sent_graph(self, job_id: str) -> Json:
        answer = self.get(f"/api/jobs/{job_id}/graph")
        assert answer.status_code == 200, answer.text
        return answer.json()["graph"]

    # --- the live feed --------------------------------------------------------------------------

    @contextmanager
    def listening(self, after: str | None = None) -> Iterator["Listener"]:
        """An open event stream, from now or after an event; its `hello` has come."""
        headers = {"Last-Event-ID": after} if after else {}
        with self.stream("GET", "/api/events", headers=headers, timeout=LISTEN_SECONDS) as response:
            assert response.status_code == 200, response.read()
            listener = Listener(response)
            listener.hello = listener.next()
            assert listener.hello.name == "hello"
            yield listener


class Listener:
    """Reads events as they come; a silence of half a minute is an error."""

    hello: Event

    def __init__(self, response: httpx2.Response) -> None:
        self._lines = response.iter_lines()
        self.seen: list[Event] = []

    def next(self) -> Event:
        """The next event; comments are passed over."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and "event" in fields:
                break
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
        assert "event" in fields, "the stream ended"
        event = Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
        self.seen.append(event)
        return event

    def until(self, suits: Callable[[Event], Any]) -> Event:
        """The next event that is as wanted."""
        while not suits(event := self.next()):
            pass
        return event

    def of(self, job_id: str, name: str = "job") -> Event:
        return self.until(lambda event: event.name == name and event.data["id"] == job_id)

    def ids(self) -> set[str]:
        """Jobs heard of so far."""
        return {event.data["id"] for event in self.seen if "id" in event.data}


def shown(job: Json) -> Json:
    """What a failing test should print of a job."""
    names = ("id", "status", "attempt", "error_code", "error_message", "waiting_reason", "progress")
    return {name: job.get(name) for name in names}


def error_of(answer: httpx2.Response) -> Json:
    """The error in an answer, which has the one shape that errors have."""
    body = answer.json()
    assert set(body) == {"error"}, body
    assert set(body["error"]) == {"code", "message", "details"}, body
    assert isinstance(body["error"]["code"], str)
    assert body["error"]["message"]
    assert isinstance(body["error"]["details"], dict)
    return body["error"]


def names(files: Iterable[Json]) -> list[str]:
    return [file["name"] for file in files]
