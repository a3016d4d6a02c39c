"""The trash: when its jobs go for ever, and what one does before."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import all_done, cards, submit
from tests.e2e.test_everybody import PHONE, WIDE, faults

TRASH = "/?trash=1"


def discarded(page: Page, *prompts: str) -> None:
    """Jobs that are done, and in the trash."""
    jobs = [submit(page, "slow-picture", prompt=prompt) for prompt in prompts]
    all_done(page)
    for job in jobs:
        assert page.request.delete(f"/api/jobs/{job['id']}").status == 204


def test_restored_or_gone_for_ever(visit: Visit) -> None:
    page = visit(expected="404")
    discarded(page, "first", "second")
    page.locator("summary", has_text="Guest").click()
    page.get_by_role("link", name="Trash").click()
    bar = page.get_by_role("region", name="Trash")
    expect(bar).to_contain_text("They go for ever 30 days after they were deleted")
    expect(cards(page)).to_have_count(2)
    expect(cards(page).first).to_contain_text("gone in 30 days")

    cards(page).filter(has_text="first").get_by_role("button", name="Restore").click()
    expect(cards(page)).to_have_count(1)
    cards(page).first.locator("a.open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It is in the trash, gone in 30 days.")
    dialog.get_by_role("button", name="Delete for ever").click()
    dialog.get_by_role("button", name="Keep").click()
    dialog.get_by_role("button", name="Delete for ever").click()
    dialog.get_by_role("button", name="Delete it for ever").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("Deleted for ever.")).to_be_visible()
    expect(cards(page)).to_have_count(0)
    bar.get_by_role("button", name="Leave the trash").click()
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_contain_text("first")
    left = page.request.get("/api/jobs?scope=mine&trash=true").json()["data"]
    assert left == []


def test_emptying_empties_every_tab(visit: Visit) -> None:
    page = visit()
    discarded(page, "one", "two", "three")
    kept = submit(page, "slow-picture", prompt="stays")
    page.goto(TRASH)
    other = visit(TRASH, same=page)
    expect(cards(other)).to_have_count(3)
    bar = page.get_by_role("region", name="Trash")
    bar.get_by_role("button", name="Empty the trash").click()
    expect(bar).to_contain_text("Nobody can undo that")
    bar.get_by_role("button", name="Delete for ever").click()
    expect(page.get_by_text("3 jobs deleted for ever.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing in the trash")).to_be_visible()
    expect(cards(other)).to_have_count(0)
    assert page.request.get(f"/api/jobs/{kept['id']}").status == 200


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide", "phone"])
def test_axe_finds_nothing(visit: Visit, size: tuple[int, int], scheme: str) -> None:
    page = visit(size=size, scheme=scheme)
    discarded(page, "in the trash")
    page.goto(TRASH)
    expect(cards(page)).to_contain_text("gone in 30 days")
    page.get_by_role("button", name="Empty the trash").click()
    assert faults(page) == []
    page.get_by_role("button", name="Keep").click()
    cards(page).first.locator("a.open").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for ever").click()
    expect(page.get_by_role("dialog").get_by_role("region", name="Timeline")).to_be_visible()
    assert faults(page) == []


def test_a_public_link_shows_the_job_to_a_stranger(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture")
    job = submit(page, "slow-picture", prompt="for everyone with the link")
    all_done(page)
    page.goto(f"/?job={job['id']}")
    seen = page.get_by_role("region", name="Visibility")
    expect(seen).to_contain_text("Nobody but you")
    expect(seen.get_by_role("button", name="Copy link")).to_have_count(0)
    seen.get_by_label("Who sees it").select_option("team")
    expect(seen).to_contain_text("guests don’t")
    stranger = visit(f"/?job={job['id']}", expected="404")
    expect(stranger.get_by_role("dialog")).to_contain_text(re.compile("no such|not found", re.IGNORECASE))

    seen.get_by_label("Who sees it").select_option("public")
    expect(seen).to_contain_text("signed in or not")
    seen.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("The link copied.")).to_be_visible()
    stranger.goto(page.evaluate("navigator.clipboard.readText()"))
    dialog = stranger.get_by_role("dialog")
    expect(dialog).to_contain_text("for everyone with the link")
    expect(dialog.locator("img").first).to_be_visible()
    expect(dialog.get_by_role("region", name="Visibility")).to_have_count(0)
    # A newcomer's page shows what is public, and the next test is a newcomer.
    seen.get_by_label("Who sees it").select_option("private")
    expect(seen).to_contain_text("Nobody but you")
