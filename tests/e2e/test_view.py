"""What the page shows is in its address."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import cards, choose, finished, submit


def test_filters_live_in_the_address(visit: Visit) -> None:
    page = visit()
    submit(page, "slow-picture", prompt="a red fox")
    submit(page, "slow-picture", prompt="a blue whale")
    submit(page, "failing-picture")
    expect(cards(page)).to_have_count(3)
    expect(page.locator("article[data-status=failed]")).to_have_count(1)

    page.get_by_role("button", name="Failed", exact=True).click()
    expect(cards(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("status=failed"))
    page.get_by_role("button", name="Done", exact=True).click()
    expect(cards(page)).to_have_count(3)
    page.go_back()
    expect(cards(page)).to_have_count(1)
    page.go_back()
    expect(cards(page)).to_have_count(3)
    page.go_forward()
    expect(page.get_by_role("button", name="Failed", exact=True)).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(cards(page)).to_have_count(3)

    page.get_by_role("searchbox").fill("whale")
    expect(cards(page)).to_have_count(1)
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("whale")
    expect(cards(page)).to_have_count(1)
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(cards(page)).to_have_count(3)


def test_the_two_switches_are_kept_apart(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture")
    submit(page, "slow-picture")
    submit(page, "failing-picture")
    expect(cards(page)).to_have_count(2)
    page.get_by_text("This workflow").click()
    expect(page).to_have_url(re.compile("feed=this"))
    expect(cards(page)).to_have_count(1)
    choose(page, "Failing picture")
    expect(cards(page)).to_have_attribute("data-status", "failed")
    page.get_by_text("Everyone").click()
    expect(page).to_have_url(re.compile("scope=all.*feed=this"))
    page.get_by_text("All workflows").click()
    expect(page).not_to_have_url(re.compile("feed=this"))
    expect(page).to_have_url(re.compile("scope=all"))


def test_a_value_on_a_card_filters_by_it(visit: Visit) -> None:
    page = visit()
    submit(page, "slow-picture")
    submit(page, "failing-picture")
    expect(cards(page)).to_have_count(2)
    cards(page).filter(has_text="Failing picture").get_by_role(
        "button", name="Failing picture", exact=True
    ).click()
    expect(page).to_have_url(re.compile("type=failing-picture"))
    expect(cards(page)).to_have_count(1)


def test_a_link_opens_the_job(visit: Visit) -> None:
    page = visit()
    job = submit(page, "slow-picture", prompt="by its link")
    finished(page)
    page.goto(f"/?job={job['id']}")
    expect(page.get_by_role("dialog")).to_contain_text("by its link")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("job="))
    cards(page).first.locator("a.open").click()
    expect(page).to_have_url(re.compile("job="))
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
