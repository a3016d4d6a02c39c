"""The servers page: what administrators see and do there, and what others are told."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Visit, a_database
from tests.e2e.desk import cards, submit
from tests.e2e.installation import RunningRushes
from tests.e2e.test_everybody import PHONE, WIDE, faults

PAGE = "/?page=servers"
SIDEWAYS = "document.scrollingElement.scrollWidth - innerWidth"

Enter = Callable[..., Page]


@pytest.fixture(scope="module")
def own(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRushes]:
    """An installation of this file's own: its server goes and comes, and its queue is paused."""
    with (
        a_database(postgres_server) as url,
        RunningRushes(tmp_path_factory.mktemp("servers"), url) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def cookies() -> list[Any]:
    """The administrator's, once somebody used the link."""
    return []


@pytest.fixture
def enter(visit: Visit, own: RunningRushes, cookies: list[Any]) -> Enter:
    """enter(path, …) opens the page as the administrator."""

    def enter(path: str = PAGE, **how: Any) -> Page:
        if not cookies:
            page = visit(own.said(r"Sign in as administrator \(once\): (\S+)")[1], at=own.url, **how)
            expect(page.get_by_role("link", name="Servers")).to_be_visible()
            cookies.extend(page.context.cookies())
            page.goto(path)
            return page
        page = visit("/", at=own.url, **how)
        page.context.add_cookies(cookies)
        page.goto(path)
        return page

    return enter


def server(page: Page) -> Locator:
    return page.get_by_role("article").first


def test_an_administrator_comes_by_the_link(enter: Enter) -> None:
    page = enter("/")
    expect(page.get_by_role("region", name="Queue")).to_contain_text("Queue empty")
    page.get_by_role("link", name="Servers").click()
    expect(page).to_have_url(re.compile("page=servers"))
    expect(server(page)).to_contain_text("Up, idle")
    expect(server(page)).to_contain_text(re.compile(r"ComfyUI\s*\d+\.\d+"))
    expect(server(page)).to_contain_text(re.compile(r"GB of \d+ GB free"))
    page.go_back()
    expect(page.get_by_role("feed").or_(page.get_by_role("heading", name="Your jobs"))).to_be_visible()


def test_others_are_told_that_it_is_not_theirs(visit: Visit, own: RunningRushes) -> None:
    page = visit(PAGE, at=own.url)
    expect(page.get_by_text("This page is for administrators")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_role("heading", name="Add a server")).to_have_count(0)
    page.goto("/")
    expect(page.get_by_role("heading", name="Your jobs will be here")).to_be_visible()
    expect(page.get_by_role("link", name="Servers")).to_have_count(0)


def test_what_runs_is_there_with_its_progress(enter: Enter) -> None:
    page = enter(expected="409")
    expect(server(page)).to_contain_text("Up")
    job = submit(page, "slow-picture", seconds=60, prompt="seen on the server")
    running = server(page).get_by_role("list", name="Jobs that run here")
    expect(running).to_contain_text("Slow picture")
    expect(running).to_contain_text(re.compile(r"\d+ %"))
    expect(server(page)).to_contain_text("Up, runs 1 job")
    expect(page.get_by_role("region", name="Queue")).to_contain_text(re.compile("1 running.*0 waiting"))
    running.get_by_role("link").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("seen on the server")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Servers")).to_be_visible()

    server(page).get_by_role("button", name="Remove", exact=True).click()
    server(page).get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("It still runs jobs. Drain it first")).to_be_visible()
    server(page).get_by_role("button", name="Drain", exact=True).click()
    expect(server(page)).to_contain_text("Draining, finishes 1 job")
    page.request.post(f"/api/jobs/{job['id']}/cancel")
    expect(server(page)).to_contain_text("Drained, takes no jobs")

    waits = submit(page, "slow-picture")
    expect(page.get_by_role("region", name="Queue")).to_contain_text("1 waiting, yours is next")
    server(page).get_by_role("button", name="Stop draining").click()
    expect(page.get_by_role("region", name="Queue")).to_contain_text("Queue empty")
    assert page.request.get(f"/api/jobs/{waits['id']}").json()["status"] == "completed"


def test_the_buttons_of_a_server(enter: Enter) -> None:
    page = enter()
    server(page).get_by_role("button", name="Test").click()
    answer = server(page).get_by_role("status")
    expect(answer).to_contain_text(re.compile(r"ComfyUI \S+ answers\."))
    expect(answer).to_contain_text(re.compile(r"It can run .*Slow picture"))
    answer.get_by_role("button", name="Close the answer").click()
    expect(answer).to_have_count(0)

    server(page).get_by_role("button", name="Free memory").click()
    expect(page.get_by_text("unloads its models")).to_be_visible()
    server(page).get_by_role("button", name="Disable").click()
    expect(server(page)).to_contain_text("Disabled, takes no jobs")
    server(page).get_by_role("button", name="Enable").click()
    expect(server(page)).to_contain_text("Up, idle")


def test_adding_says_what_is_wrong_with_an_address(enter: Enter, own: RunningRushes) -> None:
    page = enter(expected="409|422")
    form = page.get_by_role("form", name="Add a server")
    address = server(page).locator(".url, h2").last.inner_text()

    def refused(url: str, why: str) -> None:
        form.get_by_label("Address").fill(url)
        form.get_by_role("button", name="Add").click()
        expect(form.get_by_role("alert")).to_contain_text(re.compile(why))
        expect(form.get_by_label("Address")).to_have_attribute("aria-invalid", "true")
        expect(form.get_by_label("Address")).to_be_focused()

    refused("", "Write the server's address")
    refused(address, "is in the list already")
    refused("not an address", "is no ComfyUI address")
    refused("http://me:secret@127.0.0.1:1", "credentials")
    refused("http://127.0.0.1:1", "127.0.0.1:1")
    refused(own.url, "ComfyUI")  # another program
    expect(page.get_by_role("article")).to_have_count(1)

    server(page).get_by_role("button", name="Remove", exact=True).click()
    server(page).get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_text("No server yet")).to_be_visible()
    form.get_by_label("Address").fill(address)
    form.get_by_label("Name").fill("The one in the cellar")
    form.get_by_role("button", name="Add").click()
    expect(form.get_by_role("status")).to_contain_text("answers")
    expect(server(page).get_by_role("heading", name="The one in the cellar")).to_be_visible()
    expect(server(page)).to_contain_text("Up, idle")


def test_pause_and_resume(enter: Enter) -> None:
    page = enter()
    other = page.context.new_page()
    other.goto("/?workflow=slow-picture")
    line = other.get_by_role("region", name="Queue")
    expect(line).to_be_visible()
    page.get_by_label("Why, if you like").fill("The GPU is being cleaned")
    page.get_by_role("button", name="Pause", exact=True).click()
    paused = page.get_by_role("list", name="What is paused")
    expect(paused).to_contain_text("Everything")
    expect(paused).to_contain_text("The GPU is being cleaned")
    submit(other, "slow-picture", prompt="held back")
    expect(line).to_contain_text("1 waiting, yours is next")
    expect(line).to_contain_text("everything is paused")
    expect(cards(other).first).to_have_attribute("data-status", "pending")
    paused.get_by_role("button", name="Resume Everything").click()
    expect(page.get_by_text("Nothing is paused")).to_be_visible()
    expect(cards(other).first).to_have_attribute("data-status", "completed")

    page.get_by_role("combobox", name="What").select_option("failing-picture")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("region", name="Queue")).to_contain_text("paused: Failing picture")
    paused.get_by_role("button", name="Resume Failing picture").click()
    expect(page.get_by_role("region", name="Queue")).not_to_contain_text("paused")


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide", "phone"])
def test_charts_that_everybody_can_read(enter: Enter, size: tuple[int, int], scheme: str) -> None:
    page = enter(size=size, scheme=scheme)
    submit(page, "slow-picture", seconds=1)
    submit(page, "failing-picture")
    charts = page.get_by_role("region", name="How it went")
    expect(charts.get_by_role("img", name=re.compile("Jobs ended .*failed"))).to_be_visible()
    expect(charts.get_by_role("img", name=re.compile("How long jobs waited"))).to_be_visible()
    expect(charts.get_by_role("row", name=re.compile("Failing picture 0 [1-9]"))).to_be_visible()
    expect(charts.get_by_text("Why jobs failed")).to_be_visible()
    charts.get_by_text("As a table").first.click()
    expect(charts.get_by_role("table").filter(has_text="From").first).to_be_visible()
    expect(page.get_by_role("region", name="Queue")).to_contain_text("Queue empty")
    assert faults(page) == []
    server(page).get_by_role("button", name="Test").click()
    expect(server(page).get_by_role("status")).to_be_visible()
    assert faults(page) == []
    assert page.evaluate(SIDEWAYS) <= 0
    page.get_by_text("7 days").click()
    expect(charts.get_by_text(re.compile("[A-Z][a-z]{2}|[0-9]+ [A-Z]")).first).to_be_visible()
