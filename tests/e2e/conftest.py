"""A browser in front of the real app. Every visitor is a browser of its own, with its own account."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.installation import RunningRushes
from tests.postgres import drop_database, fresh_database

PAGE = Path(__file__).parents[2] / "web"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000

expect.set_options(timeout=PATIENCE_MS)

Visit = Callable[..., Page]


def chromium() -> str | None:
    """The system's Chromium; None lets Playwright look for its own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def database_url(postgres_server: str) -> Iterator[str]:
    with a_database(postgres_server) as url:
        yield url


@pytest.fixture
def own_database_url(postgres_server: str) -> Iterator[str]:
    with a_database(postgres_server) as url:
        yield url


@contextmanager
def a_database(postgres_server: str) -> Iterator[str]:
    url = fresh_database(postgres_server)
    yield url
    drop_database(url)


@pytest.fixture(scope="session")
def rushes(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRushes]:
    if not (PAGE / "dist" / "index.html").is_file():
        pytest.fail("The page has not been built: run `make setup`, or `npm run build` in web/.")
    with RunningRushes(tmp_path_factory.mktemp("rushes"), database_url) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: while it lives, its event loop counts as running in this thread,
    # and whatever else this worker is given cannot run one.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


def stop_jobs(context: BrowserContext) -> None:
    """What a test leaves running would hold up the next one."""
    with suppress(PlaywrightError):  # an installation of the test's own may be gone
        running = context.request.get("/api/jobs?scope=mine&status=pending&status=processing&limit=100")
        for job in running.json()["data"]:
            context.request.post(f"/api/jobs/{job['id']}/cancel")


@pytest.fixture
def visit(browser: Browser, rushes: RunningRushes) -> Iterator[Visit]:
    """visit(path, …) opens the page for somebody new; `same` opens it in the browser of another page.

    The test fails when a page wrote an error to its console, unless `expected` matches it.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(page: Page, expected: str) -> None:
        def note(text: str) -> None:
            if not (expected and re.search(expected, text)):
                complaints.append(text)

        def on_console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                note(f"{message.text} ({message.location.get('url', '')})")

        page.on("console", on_console)
        page.on("pageerror", lambda error: note(str(error)))

    def visit(
        path: str = "/",
        *,
        at: str = "",
        same: Page | None = None,
        size: tuple[int, int] = (1280, 860),
        scheme: str = "light",
        expected: str = "",
    ) -> Page:
        base = at or rushes.url
        if same is not None:
            context = same.context
        else:
            context = browser.new_context(
                base_url=base,
                viewport={"width": size[0], "height": size[1]},
                color_scheme="dark" if scheme == "dark" else "light",
                permissions=["clipboard-read", "clipboard-write"],
            )
            context.set_default_timeout(PATIENCE_MS)
            contexts.append(context)
        page = context.new_page()
        listen(page, expected)
        page.goto(path)
        return page

    yield visit
    for context in contexts:
        stop_jobs(context)
        context.close()
    assert not complaints, "The page complained in its console:\n" + "\n".join(complaints)
