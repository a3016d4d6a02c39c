"""The real app (API, and a dispatcher where wanted) in a thread with an event loop of its own."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import TupleRow
from pydantic import SecretStr

from rushes.bootstrap.dispatching import dispatching
from rushes.bootstrap.installation import Installation, open_installation
from rushes.bootstrap.serving import Serving, listening_socket, serving
from rushes.domain.principal import Principal
from rushes.services.dispatcher import Dispatcher
from rushes.settings import Settings
from tests.integration.app.person import Person

T = TypeVar("T")

STOP_SECONDS = 30
BUSY = """
    select count(*) from workflow_jobs where status in ('pending', 'processing') or (
        status = 'completed' and completed_at > now() - interval '10 seconds'
        and jsonb_path_exists(outputs, '$.files[*] ? (@.kind != "audio" && @.thumb_key == null)'))
"""


class Stand:
    """`with Stand(database, folder, comfy_urls=[…]) as app: app.person().get("/api/jobs")`."""

    def __init__(
        self,
        database_url: str,
        folder: Path,
        *,
        comfy_urls: Sequence[str] = (),
        demo: bool = True,
        dispatchers: int = 1,
        serves: bool = True,
        adapt: Callable[[Installation], None] = lambda _: None,
        **settings: Any,
    ) -> None:
        self.database_url = database_url
        self.folder = folder
        self.comfy_urls = tuple(comfy_urls)
        self._demo = demo
        self._dispatchers = dispatchers
        self._serves = serves
        self._adapt = adapt
        self._settings = Settings(
            data_dir=folder,
            database_url=SecretStr(database_url),
            comfy_urls=self.comfy_urls,
            log="error",
            **settings,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="app", daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._connection: psycopg.Connection[TupleRow] | None = None
        self.dispatchers: list[Dispatcher] = []
        self.people: list[Person] = []
        self.at: Installation
        self.serving: Serving

    # --- life -----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for person in self.people:
            person.close()
        if self._connection is not None:
            self._connection.close()
        self.stop()

    def stop(self) -> None:
        """Stop as SIGTERM does, and wait for it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_SECONDS)
        assert not self._thread.is_alive(), "the app does not stop"

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _live(self) -> None:
        async with AsyncExitStack() as stack:
            self.at = await stack.enter_async_context(open_installation(self._settings))
            self._adapt(self.at)
            if self.comfy_urls and not self._dispatchers:
                await self.at.servers.configure(self.comfy_urls, by="nobody", demo=self._demo)
                await self.at.processes.gone("nobody")
            for _ in range(self._dispatchers):
                work = dispatching(self.at, self.comfy_urls, demo=self._demo)
                self.dispatchers.append(await stack.enter_async_context(work))
            if self._serves:
                listener = listening_socket("127.0.0.1", 0)
                stack.callback(listener.close)
                self.serving = await stack.enter_async_context(serving(self.at, listener))
            self._ready.set()
            await self._stop.wait()

    # --- from outside ---------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self.serving.url

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    def until_quiet(self, seconds: float = 10) -> None:
        """Wait until no job runs, and those that ended a moment ago have their previews."""
        until = time.monotonic() + seconds
        while self.sql(BUSY)[0][0] and time.monotonic() < until:
            time.sleep(0.05)

    def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run something on the app's loop."""

        async def working() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(working(), self._loop).result(60)

    def sql(self, statement: str, *params: Any) -> list[TupleRow]:
        """As the database's owner, past all rules of access."""
        if self._connection is None:
            self._connection = psycopg.connect(self.database_url, autocommit=True)
        cursor = self._connection.execute(statement.encode(), params)
        return cursor.fetchall() if cursor.description else []

    def person(self) -> Person:
        """Somebody new with an anonymous account, who sends its token."""
        person = Person(self.url)
        self.people.append(person)
        answer = person.post("/api/auth/anonymous")
        assert answer.status_code == 201, answer.text
        person.id = answer.json()["user"]["id"]
        person.cookies.clear()
        person.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return person

    def stranger(self) -> Person:
        """Nobody: no account, no cookie."""
        person = Person(self.url)
        self.people.append(person)
        return person

    def admin(self) -> Person:
        """The administrator, through the one-time link."""
        person = Person(self.url)
        self.people.append(person)
        answer = person.get(self.serving.sign_in_link().removeprefix(self.url), follow_redirects=False)
        assert answer.status_code == 303, answer.text
        person.id = person.get("/api/me").json()["id"]
        return person

    def member(self) -> Person:
        """Somebody with an account that has an e-mail address, so one of the team."""
        user_id = uuid4()
        self.sql(
            "insert into auth.users (id, email, is_anonymous) values (%s, %s, false)",
            user_id,
            f"{user_id.hex[:8]}@example.org",
        )
        return self.signed_in(user_id)

    def signed_in(self, user_id: UUID) -> Person:
        """Whoever has that account."""
        person = Person(self.url)
        self.people.append(person)
        person.id = str(user_id)
        token = self.serving.sessions.token(Principal(user_id=user_id))
        person.headers["Authorization"] = f"Bearer {token}"
        return person
