"""Two browsers are two people: what is private stays so."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import cards, finished, run, submit


def test_strangers_see_only_what_is_public(visit: Visit) -> None:
    mine, theirs = visit("/?workflow=slow-picture"), visit("/?scope=all", expected="404")
    expect(theirs.get_by_role("heading", name="Jobs", exact=True)).to_be_attached()
    run(mine, prompt="for my eyes only")
    job = finished(mine)
    job.locator("a.open").click()
    expect(theirs.get_by_text("for my eyes only")).to_have_count(0)

    theirs.goto("/?" + mine.url.split("?")[1])
    expect(theirs.get_by_role("dialog")).to_contain_text(
        re.compile("no such|not found|no job", re.IGNORECASE)
    )
    theirs.goto("/?scope=all")

    mine.get_by_label("Who sees it").select_option("public")
    shared = cards(theirs).filter(has_text="for my eyes only")
    expect(shared).to_be_visible()  # live, without loading anew
    shared.hover()
    expect(shared.get_by_role("button", name="Delete")).to_have_count(0)
    shared.locator("a.open").click()
    dialog = theirs.get_by_role("dialog")
    expect(dialog.get_by_role("region", name="Inputs")).to_be_visible()
    for command in ("Delete", "Run again", "Cancel"):
        expect(dialog.get_by_role("button", name=command)).to_have_count(0)
    expect(dialog.get_by_text("Graph that was sent")).to_have_count(0)

    mine.get_by_label("Who sees it").select_option("private")
    expect(shared).to_have_count(0)


def test_everyone_and_mine_are_two_feeds(visit: Visit) -> None:
    page, other = visit(), visit()
    submit(other, "slow-picture", prompt="somebody else's")
    submit(page, "slow-picture", prompt="my own")
    finished(page)
    page.get_by_text("Everyone").click()
    expect(page).to_have_url(re.compile("scope=all"))
    expect(cards(page).filter(has_text="my own")).to_be_visible()
    expect(page.get_by_text("somebody else's")).to_have_count(0)
