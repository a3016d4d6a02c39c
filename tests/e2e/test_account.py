"""One's own account on the page: keeping it, signing in and out, passwords, keys, limits."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import cards, finished, form, run, submit
from tests.e2e.test_everybody import PHONE, WIDE, faults

ACCOUNT, KEYS, LIMITS = "/?page=account", "/?page=keys", "/?page=limits"
PASSWORD = "several plain words"
SIDEWAYS = "document.scrollingElement.scrollWidth - innerWidth"


def who(page: Page) -> str:
    """The account button's words."""
    return page.locator("summary", has_text=re.compile("Guest|@")).inner_text().strip()


def menu(page: Page, name: str) -> None:
    """Open the account's menu, and go where it says."""
    page.locator("summary", has_text=re.compile("Guest|@")).click()
    page.locator("details[open]").get_by_text(name, exact=True).click()


def claim(page: Page, email: str) -> None:
    """Make the guest's account one's own."""
    page.goto(ACCOUNT)
    ours = page.get_by_role("form", name="Keep this account")
    ours.get_by_label("E-mail address").fill(email)
    ours.get_by_label("Password").fill(PASSWORD)
    ours.get_by_role("button", name="Keep this account").click()
    expect(page.get_by_role("form", name="Change the password")).to_be_visible()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    theirs = page.get_by_role("form", name="Sign in")
    theirs.get_by_label("E-mail address").fill(email)
    theirs.get_by_label("Password").fill(password)
    theirs.get_by_role("button", name=re.compile("^Sign in")).click()


def test_a_guest_keeps_the_account_and_comes_back_from_elsewhere(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture", expected="409|422")
    run(page, prompt="worth keeping")
    finished(page)
    menu(page, "Keep this account, or sign in")
    ours = page.get_by_role("form", name="Keep this account")
    expect(ours).to_contain_text("You keep your 1 job")
    ours.get_by_role("button", name="Keep this account").click()
    email, password = ours.get_by_label("E-mail address"), ours.get_by_label("Password")
    expect(email).to_be_focused()
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(ours).to_contain_text("such as anna@example.org")
    expect(ours).to_contain_text("At least 8 characters")
    email.fill("keeper@example.org")
    expect(email).not_to_have_attribute("aria-invalid", "true")
    password.fill("aaaaaaaaaa")  # only the server finds fault with it
    ours.get_by_role("button", name="Keep this account").click()
    expect(ours).to_contain_text("too easy to guess")
    expect(password).to_be_focused()
    password.fill(PASSWORD)
    ours.get_by_role("button", name="Keep this account").click()
    expect(page.get_by_text("This account is yours now")).to_be_visible()
    expect(page.get_by_text("signed in as keeper@example.org")).to_be_visible()
    assert "keeper@" in who(page)
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(cards(page)).to_contain_text("worth keeping")

    other = visit(ACCOUNT, expected="401")
    sign_in(other, "keeper@example.org", "not the password")
    theirs = other.get_by_role("form", name="Sign in")
    expect(theirs.get_by_role("alert").last).to_contain_text("address or the password is wrong")
    sign_in(other, "Keeper@Example.org")
    expect(cards(other)).to_contain_text("worth keeping")

    other.goto(ACCOUNT)
    other.get_by_role("button", name="Sign out everywhere").click()
    expect(other.locator("summary", has_text="Guest")).to_be_visible()
    page.goto("/?scope=mine")
    expect(page.locator("summary", has_text="Guest")).to_be_visible()
    expect(page.get_by_text("worth keeping")).to_have_count(0)


def test_a_guest_with_jobs_is_told_what_signing_in_leaves_behind(visit: Visit) -> None:
    owner = visit()
    claim(owner, "elsewhere@example.org")
    page = visit()
    page.goto(ACCOUNT)
    expect(page.get_by_role("form", name="Sign in")).not_to_contain_text("don’t take along")
    submit(page, "slow-picture")
    submit(page, "slow-picture")
    page.reload()
    theirs = page.get_by_role("form", name="Sign in")
    expect(theirs).to_contain_text("has 2 jobs, which you don’t take along")
    expect(theirs).to_contain_text("e-mail address and a password first")
    expect(theirs.get_by_role("button", name="Sign in, and leave 2 jobs behind")).to_be_visible()

    page.get_by_role("button", name="Leave…").click()
    expect(page.get_by_role("region", name="Sign out")).to_contain_text("nor to its 2 jobs")
    page.get_by_role("button", name="Stay").click()
    second = visit("/", same=page)
    guest = who(second)
    sign_in(page, "elsewhere@example.org")
    expect(page.locator("summary", has_text="elsewhere@")).to_be_visible()
    expect(second.locator("summary", has_text="elsewhere@")).to_be_visible()  # the other tab changes over
    assert "Guest" in guest


def test_changing_the_password_signs_other_browsers_out(visit: Visit) -> None:
    page = visit(expected="403")
    claim(page, "changes@example.org")
    other = visit(ACCOUNT)
    sign_in(other, "changes@example.org")
    expect(other.locator("summary", has_text="changes@")).to_be_visible()

    ours = page.get_by_role("form", name="Change the password")
    current, new = ours.get_by_label("Current password"), ours.get_by_label("New password")
    current.fill("something wrong")
    new.fill("other plain words")
    ours.get_by_role("button", name="Change the password").click()
    expect(ours).to_contain_text("The current password is wrong")
    expect(current).to_be_focused()
    current.fill(PASSWORD)
    ours.get_by_role("button", name="Show").last.click()
    expect(new).to_have_attribute("type", "text")
    ours.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is changed")).to_be_visible()
    expect(current).to_have_value("")

    other.goto("/")
    expect(other.locator("summary", has_text="Guest")).to_be_visible()
    page.reload()
    expect(page.get_by_text("signed in as changes@example.org")).to_be_visible()


def test_a_key_is_shown_once_and_works_until_it_is_revoked(visit: Visit) -> None:
    page = visit(KEYS)
    make = page.get_by_role("form", name="Make a key")
    for scope in ("Read", "Submit"):
        make.get_by_role("checkbox", name=re.compile(f"^{scope}")).uncheck()
    make.get_by_role("button", name="Make a key").click()
    expect(make.get_by_label("Name")).to_be_focused()
    expect(make).to_contain_text("Name it")
    expect(make).to_contain_text("Choose what it may do")
    make.get_by_label("Name").fill("nightly renders")
    make.get_by_role("checkbox", name=re.compile("^Read")).check()
    make.get_by_role("button", name="Make a key").click()
    shown = page.get_by_role("textbox", name="The key “nightly renders”")
    secret = shown.input_value()
    assert secret.startswith("rsh_")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("The key copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret

    works = page.get_by_role("list", name="Keys that work")
    expect(works).to_contain_text(re.compile("nightly renders.*read.*never used · until", re.DOTALL))
    stranger = visit().request
    headers = {"X-API-Key": secret}
    assert stranger.get("/api/me", headers=headers).json()["id"] == page.request.get("/api/me").json()["id"]
    page.reload()
    expect(works).to_contain_text("used just now")
    expect(shown).to_have_count(0)
    assert secret not in page.content()

    works.get_by_role("button", name="Revoke nightly renders").click()
    works.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("No key works now")).to_be_visible()
    page.get_by_text("Revoked and expired (1)").click()
    expect(page.get_by_role("list", name="Keys that don’t work")).to_contain_text("nightly renders")
    assert stranger.get("/api/me", headers=headers).status == 401


def test_use_grows_before_ones_eyes(visit: Visit) -> None:
    page = visit(LIMITS)
    today = page.get_by_role("meter", name="Jobs in the last 24 hours")
    stored = page.get_by_role("meter", name="Stored")
    expect(today).to_have_attribute("aria-valuetext", "0 of 500")
    expect(stored).to_have_attribute("aria-valuetext", "0 MB of 20 GB")
    expect(page.get_by_role("region", name="Use")).to_contain_text("500 MB for a video")
    submit(page, "slow-picture")
    expect(today).to_have_attribute("aria-valuetext", "1 of 500")
    expect(stored).to_have_attribute("aria-valuetext", re.compile("^(0.1|under 0.1) MB of 20 GB"))
    page.get_by_role("link", name="trash").click()
    expect(page.get_by_role("region", name="Trash")).to_be_visible()


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit("/?scope=mine")
    button = page.locator("summary", has_text="Guest")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Limits and use")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Limits and use")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Keep this account, or sign in")
    expect(link).to_be_visible()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Account", exact=True)).to_be_visible()
    page.go_back()
    expect(form(page)).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide", "phone"])
def test_axe_finds_nothing(visit: Visit, size: tuple[int, int], scheme: str) -> None:
    page = visit("/?scope=mine", size=size, scheme=scheme, expected="401")
    submit(page, "slow-picture")
    page.locator("summary", has_text="Guest").click()
    expect(page.get_by_role("link", name="API keys")).to_be_visible()
    assert faults(page) == []
    page.goto(ACCOUNT)
    expect(page.get_by_role("form", name="Sign in")).to_contain_text("1 job")
    page.get_by_role("button", name="Keep this account").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    assert faults(page) == []
    assert page.evaluate(SIDEWAYS) <= 0
    page.goto(KEYS)
    page.get_by_label("Name").fill("x" * 100)
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("button", name=re.compile("^Revoke")).click()
    expect(page.get_by_role("button", name="Revoke it")).to_be_visible()
    assert faults(page) == []
    assert page.evaluate(SIDEWAYS) <= 0
    page.goto(LIMITS)
    expect(page.get_by_role("meter").first).to_be_visible()
    assert faults(page) == []
    page.goto("/#set-password=used-long-ago")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password and sign in").click()
    expect(page.get_by_role("alert").last).to_contain_text("used already or has expired")
    assert faults(page) == []
    assert page.evaluate(SIDEWAYS) <= 0
