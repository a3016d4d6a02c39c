"""What administrators do with people, and what those see of it."""

import re
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import form, run, submit
from tests.e2e.installation import RunningRushes
from tests.e2e.test_everybody import PHONE, WIDE, faults

PEOPLE = "/?page=people"
SIDEWAYS = "document.scrollingElement.scrollWidth - innerWidth"

Enter = Callable[..., Page]


@pytest.fixture(scope="module")
def cookies() -> list[Any]:
    """The administrator's, once somebody used the link."""
    return []


@pytest.fixture
def enter(visit: Visit, rushes: RunningRushes, cookies: list[Any]) -> Enter:
    """enter(path, …) opens the page as the administrator."""

    def enter(path: str = PEOPLE, **how: Any) -> Page:
        if not cookies:
            page = visit(rushes.said(r"Sign in as administrator \(once\): (\S+)")[1], **how)
            expect(page.locator("summary", has_text="administrator@")).to_be_visible()
            cookies.extend(page.context.cookies())
        else:
            page = visit("/", **how)
            page.context.add_cookies(cookies)
        page.goto(path)
        return page

    return enter


def add(page: Page, email: str) -> str:
    """Add somebody; the link for them."""
    ours = page.get_by_role("form", name="Add somebody")
    ours.get_by_label("E-mail address").fill(email)
    ours.get_by_role("button", name="Add, and make a link").click()
    link = page.get_by_role("textbox", name=f"Link for {email}").input_value()
    page.get_by_role("button", name="Done").click()
    return link


def person(page: Page, name: str) -> Locator:
    """Somebody's box, open."""
    page.get_by_role("searchbox", name="Search people").fill(name)
    everybody = page.get_by_role("list", name="People").locator("> li")
    expect(everybody).to_have_count(1)
    expect(everybody).to_contain_text(name)
    if not everybody.locator("details[open]").count():
        everybody.locator("summary").click()
    return everybody


def by_id(page: Page, user_id: str) -> Locator:
    page.get_by_role("searchbox", name="Search people").fill(user_id)
    everybody = page.get_by_role("list", name="People").locator("> li")
    expect(everybody).to_have_count(1)
    everybody.locator("summary").click()
    expect(everybody).to_contain_text(user_id)
    return everybody


def choose_password(page: Page, link: str, password: str) -> None:
    page.goto(link)
    ours = page.get_by_role("form", name="Choose a password")
    ours.get_by_label("New password").fill(password)
    ours.get_by_role("button", name="Set the password and sign in").click()
    expect(page.locator("summary", has_text="@")).to_be_visible()


def test_somebody_new_comes_by_a_link_that_works_once(enter: Enter, visit: Visit) -> None:
    admin = enter(expected="409")
    ours = admin.get_by_role("form", name="Add somebody")
    ours.get_by_role("button", name="Add, and make a link").click()
    expect(ours.get_by_label("E-mail address")).to_be_focused()
    expect(ours).to_contain_text("such as anna@example.org")
    link = add(admin, "nora@example.org")
    ours.get_by_label("E-mail address").fill("nora@example.org")
    ours.get_by_role("button", name="Add, and make a link").click()
    expect(ours.get_by_role("alert").last).not_to_be_empty()

    page = visit(expected="401")
    submit(page, "slow-picture")
    page.goto(link)
    ours = page.get_by_role("form", name="Choose a password")
    expect(ours).to_contain_text("has 1 job, which you don’t take along")
    ours.get_by_label("New password").fill("short")
    ours.get_by_role("button", name="Set the password and sign in").click()
    expect(ours).to_contain_text("At least 8 characters")
    page.reload()
    choose_password(page, link, "several plain words")
    expect(page).not_to_have_url(re.compile("#"))
    expect(page.locator("summary", has_text="nora@")).to_be_visible()

    page.goto("about:blank")
    page.goto(link)
    ours.get_by_label("New password").fill("another few words")
    ours.get_by_role("button", name="Set the password and sign in").click()
    expect(ours.get_by_role("alert").last).to_contain_text("used already or has expired")
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(form(page)).to_be_visible()


def test_a_person_is_made_administrator_disabled_and_let_in_again(enter: Enter, visit: Visit) -> None:
    admin = enter()
    page = visit(expected="401|403")
    choose_password(page, add(admin, "otto@example.org"), "several plain words")
    otto = person(admin, "otto@example.org")
    otto.get_by_role("button", name="Make administrator").click()
    expect(otto.locator("summary")).to_contain_text("Admin")
    page.goto(PEOPLE)
    oneself = person(page, "otto@example.org")
    expect(oneself.get_by_role("button", name="Disable")).to_be_disabled()
    otto.get_by_role("button", name="Take away administrator").click()
    expect(otto.locator("summary")).not_to_contain_text("Admin")
    page.reload()
    expect(page.get_by_text("This page is for administrators")).to_be_visible()

    page.goto("/?scope=mine")
    otto.get_by_role("button", name="Disable").click()
    expect(otto.locator("summary")).to_contain_text("Disabled")
    # The open page hears of it when the live feed next looks whose it is.
    expect(page.get_by_text(re.compile("disabled", re.IGNORECASE)).first).to_be_visible(timeout=30_000)
    page.reload()
    expect(page.get_by_text(re.compile("disabled", re.IGNORECASE)).first).to_be_visible()
    page.locator("summary", has_text="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("summary", has_text="Guest")).to_be_visible()
    otto.get_by_role("button", name="Enable").click()
    expect(otto.locator("summary")).not_to_contain_text("Disabled")
    otto.get_by_role("button", name="Password link").click()
    again = admin.get_by_role("textbox", name="Link for otto@example.org").input_value()
    choose_password(page, again, "quite other words")
    expect(page.locator("summary", has_text="otto@")).to_be_visible()


def test_ones_own_limit_is_named_where_it_is_in_the_way(enter: Enter, visit: Visit) -> None:
    page = visit("/?workflow=slow-picture", expected="429")
    guest = page.request.get("/api/me").json()["id"]
    admin = enter()
    box = by_id(admin, guest)
    limits = box.get_by_role("form", name=re.compile("^Limits of"))
    limits.get_by_label("Jobs in 24 hours", exact=True).select_option("own")
    limits.get_by_role("button", name="Save the limits").click()
    figure = limits.get_by_label("Jobs in 24 hours, in jobs")
    expect(figure).to_be_focused()
    expect(limits).to_contain_text("Write a number, 0 or more")
    figure.fill("1.5")
    limits.get_by_role("button", name="Save the limits").click()
    expect(limits).to_contain_text("Write a whole number")
    figure.fill("1")
    limits.get_by_label("Jobs that wait", exact=True).select_option("off")
    limits.get_by_label("Stored", exact=True).select_option("own")
    limits.get_by_label("Stored, in GB").fill("1.5")
    limits.get_by_role("button", name="Save the limits").click()
    expect(admin.get_by_text(re.compile("The limits of .* are saved"))).to_be_visible()

    run(page)
    expect(page.get_by_text("Sent.")).to_be_visible()
    run(page)
    refused = form(page).get_by_role("alert")
    expect(refused).to_contain_text("At most 1 jobs may be submitted in 24 hours")
    refused.get_by_role("link", name="Limits and use").click()
    today = page.get_by_role("meter", name="Jobs in the last 24 hours")
    expect(today).to_have_attribute("aria-valuetext", "1 of 1")
    expect(page.get_by_role("region", name="Use")).to_contain_text("At the limit: submit again later")
    expect(page.get_by_role("region", name="Use")).to_contain_text("0, no limit")
    expect(page.get_by_role("meter", name="Stored")).to_have_attribute(
        "aria-valuetext", re.compile(r"of 1\.5 GB$")
    )

    admin.reload()
    box = by_id(admin, guest)
    expect(box.locator("summary")).to_contain_text("1 today")
    expect(box.get_by_label("Jobs that wait", exact=True)).to_have_value("off")
    expect(box.get_by_label("Stored, in GB")).to_have_value("1.5")


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide", "phone"])
def test_axe_finds_nothing(enter: Enter, size: tuple[int, int], scheme: str) -> None:
    page = enter(size=size, scheme=scheme)
    email = f"a-very-long-address-of-somebody-who-lives-far-away-{size[0]}@example.org"
    add(page, email)
    box = person(page, email)
    box.get_by_label("Stored", exact=True).select_option("own")
    box.get_by_role("button", name="Save the limits").click()
    expect(box.locator("[aria-invalid=true]")).to_be_visible()
    assert faults(page) == []
    assert page.evaluate(SIDEWAYS) <= 0
    page.get_by_role("searchbox", name="Search people").fill("nobody like that")
    expect(page.get_by_text("Nobody like that")).to_be_visible()


def test_there_is_more_below(enter: Enter, rushes: RunningRushes) -> None:
    admin = enter()
    for _ in range(32):
        assert httpx2.post(f"{rushes.url}/api/auth/anonymous", trust_env=False).status_code == 201
    admin.reload()
    everybody = admin.get_by_role("list", name="People").locator("> li")
    expect(everybody).to_have_count(30)
    admin.get_by_role("button", name="Show more").click()
    expect(everybody.nth(32)).to_be_visible()
