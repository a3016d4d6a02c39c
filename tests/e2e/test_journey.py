"""From an empty feed to a finished, inspected, cancelled, deleted and restored job."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import cards, choose, finished, form, picture, run, sound


def test_from_nothing_to_a_result_and_back(visit: Visit) -> None:
    page = visit()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/jobs?" in request.url else None)
    expect(page.get_by_role("heading", name="Your jobs will be here")).to_be_visible()

    page.get_by_role("button", name="Run a sample job").click()
    card = finished(page)
    result = card.locator(".media img")
    expect(result).to_be_visible()
    assert result.evaluate("image => image.naturalWidth") > 0

    card.locator("a.open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("region", name="Inputs").get_by_role("img")).to_be_visible()
    expect(dialog.get_by_role("region", name="Outputs")).to_contain_text(".png")
    timeline = dialog.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Submitted")
    expect(timeline).to_contain_text("Finished")
    expect(dialog.get_by_role("region", name="Attempts")).to_contain_text("Completed")
    dialog.get_by_text("Graph that was sent").click()
    expect(dialog.get_by_label("Graph")).to_contain_text("class_type")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download", exact=True).click()
    assert download.value.suggested_filename.endswith(".png")

    dialog.get_by_role("button", name="Delete").click()
    expect(cards(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(cards(page)).to_have_count(1)
    assert len(asked) <= 1, "the feed is live: nothing of this loads the list again"


def test_a_running_job_shows_its_node_and_can_be_cancelled(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture")
    run(page, seconds="40")
    card = cards(page).first
    expect(card).to_contain_text("Take a nap")
    expect(card).to_contain_text(re.compile(r"\d+ %"))
    card.hover()
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text("Cancelled")

    card.get_by_role("button", name="Run again").click()
    expect(cards(page)).to_have_count(2)
    cards(page).first.locator("a.open").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_contain_text("Cancelled")


def test_a_failure_is_one_plain_line(visit: Visit) -> None:
    page = visit("/?workflow=failing-picture")
    run(page, message="the paint ran out")
    card = cards(page).first
    expect(card).to_contain_text("the paint ran out")
    card.get_by_role("button", name="Copy error").click()
    expect(page.get_by_text("The error copied.")).to_be_visible()
    assert "the paint ran out" in page.evaluate("navigator.clipboard.readText()")
    card.locator("a.open").click()
    error = page.get_by_role("dialog").get_by_role("region", name="Error")
    expect(error).to_contain_text("the paint ran out")
    expect(error).to_contain_text("node_error")


def test_deleted_jobs_wait_in_the_trash(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture")
    run(page)
    card = finished(page)
    card.hover()
    card.get_by_role("button", name="Delete").click()
    expect(cards(page)).to_have_count(0)
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Show deleted jobs").check()
    expect(cards(page)).to_have_count(1)
    cards(page).first.locator("a.open").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    page.keyboard.press("Escape")
    expect(cards(page)).to_have_count(0)
    page.goto("/")
    expect(cards(page)).to_have_count(1)


def test_a_talking_picture(visit: Visit) -> None:
    page = visit()
    choose(page, "Lip-sync, one speaker")
    form(page).get_by_label("Portrait").set_input_files(picture())
    form(page).get_by_label("Voice").set_input_files(sound(2.0))
    expect(form(page)).to_contain_text("320 × 240")
    expect(form(page)).to_contain_text("0:02")
    run(page)
    card = finished(page)
    expect(card.locator("video")).to_have_attribute("poster", re.compile("/storage/"))
    expect(card).to_contain_text("0:02")
    card.hover()
    page.wait_for_function("() => !document.querySelector('article video').paused")
    card.get_by_role("button", name="Sound").click()
    assert card.locator("video").evaluate("video => video.muted") is False


def test_the_inputs_of_a_job_come_back_into_the_form(visit: Visit) -> None:
    page = visit()
    choose(page, "Image to image")
    form(page).get_by_label("Picture").set_input_files(picture(name="harbour.png"))
    expect(form(page)).to_contain_text("320 × 240")
    run(page, prompt="a harbour", denoise="0.29")
    card = finished(page)
    choose(page, "Lip-sync, one speaker")
    card.hover()
    card.get_by_role("button", name="Use the inputs").click()
    expect(form(page)).to_contain_text("harbour.png")
    expect(form(page).get_by_label("Prompt", exact=True)).to_have_value("a harbour")
    expect(form(page).get_by_label("Denoise")).to_have_value("0.29")
    form(page).get_by_role("button", name="Run").click()
    finished(page, 2)
