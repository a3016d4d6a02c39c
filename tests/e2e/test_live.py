"""The feed moves by itself: in another tab, while somebody reads, and after the connection was gone."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import all_done, cards, run, submit
from tests.e2e.installation import RunningRushes


def test_a_second_tab_follows(visit: Visit) -> None:
    first = visit("/?workflow=slow-picture")
    second = visit("/", same=first)
    expect(second.get_by_role("heading", name="Your jobs will be here")).to_be_visible()
    run(first, seconds="2", prompt="in both tabs")
    card = cards(second).filter(has_text="in both tabs")
    expect(card).to_contain_text(re.compile(r"\d+ %"))
    expect(card).to_have_attribute("data-status", "completed")
    card.locator("a.open").click()
    expect(second.get_by_role("dialog")).to_contain_text("Done")


def test_many_tabs_share_one_connection(visit: Visit) -> None:
    first = visit("/?workflow=slow-picture")
    tabs = [visit("/", same=first) for _ in range(7)]  # browsers open six connections to a server
    expect(tabs[-1].get_by_role("heading", name="Your jobs will be here")).to_be_visible()
    run(first, prompt="to all of them")
    for tab in tabs:
        expect(cards(tab).filter(has_text="to all of them")).to_have_attribute("data-status", "completed")
    first.close()  # it led; another one does now
    submit(tabs[0], "slow-picture", prompt="without the first")
    expect(cards(tabs[-1]).filter(has_text="without the first")).to_have_attribute("data-status", "completed")


def test_an_open_job_finishes_before_ones_eyes(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture")
    run(page, seconds="2")
    cards(page).first.locator("a.open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Take a nap")
    expect(dialog.locator("img").first).to_be_visible()
    expect(dialog.get_by_role("region", name="Timeline")).to_contain_text("Finished")


def test_new_cards_never_move_a_reader(visit: Visit) -> None:
    page = visit(size=(1280, 500))
    for number in range(16):
        submit(page, "slow-picture", prompt=f"number {number}")
    all_done(page)
    page.mouse.wheel(0, 700)
    page.wait_for_function("() => scrollY > 400")
    before = page.locator("article").evaluate_all("(all) => all.map((one) => [one.id, one.style.transform])")
    tab = visit("/", same=page)
    for number in range(3):
        submit(tab, "slow-picture", prompt=f"later {number}")
    pill = page.get_by_role("button", name="3 new")
    expect(pill).to_be_visible()
    assert before == page.locator("article").evaluate_all(
        "(all) => all.map((one) => [one.id, one.style.transform])"
    )
    pill.click()
    expect(cards(page).filter(has_text="later 2")).to_be_in_viewport()
    expect(pill).to_have_count(0)


def test_only_what_is_near_is_drawn(visit: Visit) -> None:
    page = visit("/", size=(900, 400))
    for number in range(66):
        submit(page, "slow-picture", prompt=f"number {number}")
    expect(page.get_by_text("number 65", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("number 65", exact=True)).to_be_visible()
    assert cards(page).count() < 40
    for _ in range(40):  # the second page of 60 follows on the way down
        page.mouse.wheel(0, 1200)
        if page.get_by_text("number 0", exact=True).is_visible():
            break
        page.wait_for_timeout(50)
    expect(page.get_by_text("number 0", exact=True)).to_be_visible()
    assert cards(page).count() < 60
    assert cards(page).last.get_attribute("aria-posinset") == "66"


def test_the_connection_comes_back(visit: Visit, own_database_url: str, tmp_path: Path) -> None:
    with RunningRushes(tmp_path, own_database_url, "--comfy-url", "http://127.0.0.1:9") as own:
        page = visit("/", at=own.url, expected="ERR_|Failed to load")
        expect(page.get_by_text(re.compile("No ComfyUI server")).first).to_be_visible()
        expect(page.get_by_role("heading", name="Your jobs will be here")).to_be_visible()
        own.stop()
        expect(page.get_by_text(re.compile("Connection lost"))).to_be_visible()
        own.start()
        expect(page.get_by_text(re.compile("Connection lost"))).to_have_count(0, timeout=30_000)
        submit(page, "slow-picture", prompt="after all")
        card = cards(page).filter(has_text="after all")
        expect(card).to_contain_text("Waiting")
        page.context.set_offline(True)
        expect(page.get_by_text("You are offline")).to_be_visible()
        page.context.set_offline(False)
        expect(page.get_by_text("You are offline")).to_have_count(0)
