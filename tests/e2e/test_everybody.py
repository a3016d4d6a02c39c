"""By keyboard, with a screen reader, on a phone, in the dark."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PAGE, Visit
from tests.e2e.desk import DONE, cards, choose, finished, form, picture, submit

AXE = PAGE / "node_modules" / "axe-core" / "axe.min.js"
WIDE, PHONE = (1280, 860), (390, 844)


def faults(page: Page) -> list[str]:
    """What axe-core finds, a line each."""
    page.evaluate(
        "document.getAnimations().forEach((one) => one.effect.getTiming().iterations === 1 && one.finish())"
    )
    page.evaluate(Path(AXE).read_text())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide", "phone"])
def test_axe_finds_nothing(visit: Visit, size: tuple[int, int], scheme: str) -> None:
    page = visit(size=size, scheme=scheme)
    expect(page.get_by_role("heading", name="Your jobs will be here")).to_be_visible()
    assert faults(page) == []
    submit(page, "slow-picture", prompt="done")
    submit(page, "failing-picture")
    expect(page.locator(DONE)).to_have_count(1)
    submit(page, "slow-picture", seconds=30, prompt="running")
    expect(page.locator("article[data-status=processing]")).to_contain_text("%")
    assert faults(page) == []
    page.get_by_text("Filter", exact=True).click()
    assert faults(page) == []
    page.keyboard.press("Escape")

    for status in ("completed", "failed", "processing"):
        page.locator(f"article[data-status={status}] a.open").click()
        expect(page.get_by_role("dialog").get_by_role("region", name="Timeline")).to_be_visible()
        assert faults(page) == [], status
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)

    if size == PHONE:
        page.get_by_role("button", name="New", exact=True).click()
    for workflow in ("Lip-sync, several speakers", "Caption a character", "Image to image"):
        choose(page, workflow)
        form(page).get_by_role("button", name="Run").click()
        expect(form(page).locator("[aria-invalid=true]").first).to_be_visible()
        assert faults(page) == [], workflow


def test_a_phone_never_scrolls_sideways(visit: Visit) -> None:
    page = visit(size=PHONE)
    submit(page, "slow-picture", prompt="W" * 200)
    finished(page)
    sideways = "document.scrollingElement.scrollWidth - innerWidth"
    assert page.evaluate(sideways) <= 0
    cards(page).first.locator("a.open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("region", name="Timeline")).to_be_visible()
    assert dialog.evaluate("(box) => box.scrollWidth - box.clientWidth") <= 0
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New", exact=True).click()
    choose(page, "Image to image")
    form(page).get_by_label("Picture").set_input_files(picture())
    form(page).get_by_label("Prompt", exact=True).fill("from a phone")
    expect(form(page)).to_contain_text("320 × 240")
    form(page).get_by_role("button", name="Run").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(cards(page).first).to_contain_text("from a phone")


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture")
    for prompt in ("first", "second", "third"):
        field = form(page).get_by_label("Prompt")
        field.focus()
        page.keyboard.press("Control+a")
        page.keyboard.type(prompt)
        page.keyboard.press("Control+Enter")
        expect(cards(page).filter(has_text=prompt)).to_be_visible()
    finished(page, 3)

    page.keyboard.press("Home")
    page.locator("a.skip").focus()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "ARTICLE":
            break
    focused = page.locator("article:focus")
    expect(focused).to_contain_text("third")
    page.keyboard.press("PageDown")
    expect(focused).to_contain_text("second")
    page.keyboard.press("ArrowRight")
    expect(focused).to_contain_text("first")
    page.keyboard.press("PageUp")
    expect(focused).to_contain_text("second")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="second")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("heading", name="first")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("heading", name="third")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(focused).to_contain_text("second")


def test_the_theme_can_be_chosen(visit: Visit) -> None:
    page = visit(scheme="light")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name=re.compile("Theme: auto")).click()
    page.get_by_role("button", name=re.compile("Theme: light")).click()
    expect(page.get_by_role("button", name=re.compile("Theme: dark"))).to_be_visible()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    expect(page.get_by_role("button", name=re.compile("Theme: dark"))).to_be_visible()
    assert page.evaluate(background) == dark
