"""The whole installation as processes: a database, dispatchers, an API, ComfyUI servers, and their storage."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx2

from rushes.adapters.postgres.embedded.server import free_port
from tests.chaos.database import OwnDatabase
from tests.chaos.kinds import DEMO, REAL, Kind
from tests.chaos.processes import Part, comfyui, rushes
from tests.chaos.timeline import Timeline

LEASE_SECONDS = 3.0
START_SECONDS = 60.0
DISK_BYTES = 256 << 20


class Comfy:
    """A ComfyUI server: one of ours, to do anything to, or a real one, which is left alone."""

    def __init__(self, name: str, url: str, part: Part | None = None, version: str = "") -> None:
        self.name = name
        self.url = url
        self.part = part
        self.version = version
        self.http = httpx2.Client(base_url=url, timeout=5, trust_env=False)

    def answers(self) -> bool:
        try:
            return self.http.get("/prompt").status_code == 200
        except httpx2.HTTPError:
            return False

    def fault(self, kind: str, **options: Any) -> bool:
        """Put a fault in force; whether it could be."""
        try:
            answer = self.http.post("/_demo/faults", json={"kind": kind, **options})
        except httpx2.HTTPError:
            return False
        assert answer.status_code < 300, answer.text
        return True

    def mend(self) -> None:
        """No fault is in force any more."""
        if self.part is not None:
            try:
                self.http.delete("/_demo/faults")
            except httpx2.HTTPError:
                pass  # a dead server has no faults when it comes back

    def queue(self) -> list[str]:
        """The prompts that wait or run there."""
        said = self.http.get("/queue").json()
        return [item[1] for item in [*said["queue_running"], *said["queue_pending"]]]

    def history(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("/history").json()
        return found


class Town:
    """`with Town(folder) as town:` starts all of it and waits until jobs can run."""

    def __init__(
        self,
        folder: Path,
        timeline: Timeline,
        *,
        servers: int = 3,
        dispatchers: int = 2,
        comfy_urls: Sequence[str] = (),
        lease_seconds: float = LEASE_SECONDS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.timeline = timeline
        self.lease_seconds = lease_seconds
        self.kinds: tuple[Kind, ...] = REAL if comfy_urls else DEMO
        self.disk = folder / "disk"
        self.storage = self.disk / "storage"
        self.disk_can_fill = False
        self._settings = settings or {}
        self._stack = ExitStack()
        self.database = OwnDatabase()
        self.comfys = [Comfy(f"real {n}", url) for n, url in enumerate(comfy_urls, 1)] or [
            self._demo(n) for n in range(1, servers + 1)
        ]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._wanted_dispatchers = dispatchers
        self.dispatchers: list[Part] = []
        self.away: frozenset[str] = frozenset()  # what trouble has taken
        self._forgot_at = 0.0
        self.api: Part

    # --- life -----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._stack.callback(self._end_all)
            self._stack.enter_context(self.database)
            self._mount()
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _mount(self) -> None:
        """A disk of its own that can be filled, where that may be made: only root may."""
        self.disk.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(self.disk)]
        if not subprocess.run(mount, capture_output=True, check=False).returncode:
            self._stack.callback(subprocess.run, ["umount", "-l", str(self.disk)], check=True)
            self.disk_can_fill = True
        self.storage.mkdir()

    def _start(self) -> None:
        types = self.folder / "types"
        for kind in self.kinds:
            kind.install(types)
        environment = self._environment(types)
        for comfy in self.comfys:
            if comfy.part:
                comfy.part.start()
        serve = ["serve", "--port", str(self.port)]
        self.api = self._part("api", serve, environment)
        self.api.start()
        self.until(lambda: self.api_answers() or not self.api.alive, "the API answers", START_SECONDS)
        assert self.api.alive, f"the API does not start:\n{self.logs()}"
        for n in range(1, self._wanted_dispatchers + 1):
            self.dispatchers.append(self._part(f"dispatcher {n}", ["dispatch"], environment))
            self.dispatchers[-1].start()
        self.until(
            lambda: self.one("select count(*) from comfy_servers where state = 'up'") == len(self.comfys),
            "all servers are up",
            START_SECONDS,
        )
        self.timeline.note("town is up")

    def _environment(self, types: Path) -> dict[str, str]:
        given = {
            "data_dir": self.folder / "data",
            "database_url": self.database.url,
            "storage_url": f"file://{self.storage}",
            "workflows_dir": types,
            "comfy_urls": ",".join(comfy.url for comfy in self.comfys),
            "lease_seconds": self.lease_seconds,
            "limit_jobs_running": "off",
            "limit_jobs_waiting": "off",
            "limit_jobs_per_day": "off",
            "limit_stored_gb": "off",
            "limit_submits_per_minute": "off",
            "anonymous": "on",
            "log": "info,json",
            **self._settings,
        }
        return {f"RUSHES_{name.upper()}": str(value) for name, value in given.items()}

    def put_right(self) -> None:
        """All run, nothing is wrong, and nothing is left to do."""
        self.database.sql("update workflow_jobs set cancel_requested_at = now() where status = 'pending'")
        for part in self.parts:
            if part.paused:
                part.go_on()
            part.start()
        for comfy in self.comfys:
            comfy.mend()
        self.database.sql(
            "update workflow_jobs set cancel_requested_at = now()"
            " where status = 'processing' and cancel_requested_at is null"
        )
        self.until(lambda: not self.one("select count(*) from workflow_job_leases"), "all is done", 60)
        self.database.sql(
            "update comfy_servers set draining = false, failures = 0, open_until = null, warm_model_set = null"
        )
        self.until(
            lambda: self.one("select count(*) from comfy_servers where state = 'up'") == len(self.comfys),
            "all servers are up",
            START_SECONDS,
        )

    @contextmanager
    def polling_dispatcher(self) -> Iterator[Part]:
        """One that hears no notification, as behind a transaction pooler."""
        environment = {**self._environment(self.folder / "types"), "RUSHES_DATABASE_POOLER": "true"}
        polling = self._part("polling dispatcher", ["dispatch"], environment)
        self.dispatchers.append(polling)
        polling.start()
        try:
            yield polling
        finally:
            polling.kill()
            self.dispatchers.remove(polling)

    def _part(self, name: str, arguments: list[str], environment: dict[str, str]) -> Part:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        return Part(name, rushes, arguments, environment=environment, log=log)

    def _demo(self, n: int) -> Comfy:
        version = "0.3.64" if n == 2 else "0.33.0"  # both generations
        port = free_port()
        arguments = ["--port", str(port), "--base-directory", str(self.folder / f"comfy-{n}")]
        arguments += ["--version", version, "--extra-nodes", "--faults"]
        part = Part(f"comfy {n}", comfyui, arguments, environment={}, log=self.folder / f"comfy-{n}.log")
        return Comfy(part.name, f"http://127.0.0.1:{port}", part, version)

    @property
    def parts(self) -> list[Part]:
        api = [self.api] if hasattr(self, "api") else []
        return [*self.dispatchers, *api, *(comfy.part for comfy in self.comfys if comfy.part)]

    def _end_all(self) -> None:
        for part in self.parts:
            part.kill()
        for comfy in self.comfys:
            comfy.http.close()

    # --- looking --------------------------------------------------------------------------------

    def api_answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/healthz", timeout=2, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def one(self, statement: str, *params: Any) -> Any:
        """The first column of the first row."""
        rows = self.database.sql(statement, *params)
        return rows[0][0] if rows else None

    def status(self, job_id: str | UUID) -> str:
        return str(self.one("select status from workflow_jobs where id = %s", job_id))

    def forget_requests(self) -> None:
        """What a dead API had begun is free again after a minute; here it is after a few seconds."""
        if time.monotonic() - self._forgot_at > 1 and "database" not in self.away:
            self._forgot_at = time.monotonic()
            self.database.sql(
                "update idempotency set created_at = created_at - interval '2 minutes'"
                " where job_id is null and created_at < now() - interval '4 seconds'"
            )

    def until(self, holds: Callable[[], object], what: str, seconds: float = 30) -> float:
        """Wait until it holds; how long that took."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds:
                raise AssertionError(f"not within {seconds:g} s: {what}\n{self.timeline}\n{self.logs()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def logs(self, size: int = 1500) -> str:
        """The end of what everybody has said."""
        return "\n".join(f"--- {part.name}\n{part.said()[-size:]}" for part in self.parts)
