"""Bad input is said beside the field, before and after it was sent; files go in by every way."""

import base64
import re
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import cards, choose, finished, form, picture, run, sound

HOSTILE = '"q" \\ {{WIDTH}} $& True, <b>bold</b> <img src=x onerror=alert(1)> \t 🎬 ümlaut'


def send(page: Page) -> None:
    form(page).get_by_role("button", name="Run").click()


def test_what_is_wrong_stands_beside_its_field(visit: Visit) -> None:
    page = visit()
    choose(page, "Lip-sync, one speaker")
    send(page)
    expect(form(page).get_by_text("Add an image.")).to_be_visible()
    expect(form(page).get_by_text("Add an audio.")).to_be_visible()
    expect(form(page).get_by_label("Portrait")).to_be_focused()
    width = form(page).get_by_label("Width")
    for value, message in {
        "650": "A multiple of 32 is needed, such as 640.",
        "99999": "From 256 to 1280.",
        "wide": "A number is needed here.",
    }.items():
        width.fill(value)
        expect(form(page).get_by_text(message)).to_be_visible()
        expect(width).to_have_attribute("aria-invalid", "true")
    width.fill("640")
    expect(width).not_to_have_attribute("aria-invalid", "true")
    form(page).get_by_label("Start").fill("noon")
    expect(form(page).get_by_text("Write minutes:seconds")).to_be_visible()
    expect(cards(page)).to_have_count(0)


def test_files_of_the_wrong_kind_are_refused_where_they_are(visit: Visit) -> None:
    page = visit(expected="400|415|422")
    choose(page, "Lip-sync, one speaker")
    portrait, voice = form(page).get_by_label("Portrait"), form(page).get_by_label("Voice")
    portrait.set_input_files(sound())
    expect(
        form(page).get_by_text(re.compile("This is audio/.*wav; an image is needed here."))
    ).to_be_visible()
    # A picture that calls itself a sound: the server looks into it.
    voice.set_input_files({**picture(name="voice.wav"), "mimeType": "audio/wav"})
    expect(
        form(page).get_by_text(re.compile("voice.wav is said to be audio/wav and really is image/png"))
    ).to_be_visible()
    portrait.set_input_files({"name": "empty.png", "mimeType": "image/png", "buffer": b""})
    expect(form(page).locator(".fault").first).to_have_text(re.compile("empty", re.IGNORECASE))
    send(page)
    expect(portrait).to_be_focused()
    expect(cards(page)).to_have_count(0)


def test_what_only_the_server_sees_is_said_beside_the_field_too(visit: Visit) -> None:
    page = visit(expected="404|422")
    choose(page, "Image to image")
    form(page).get_by_label("Prompt", exact=True).fill("from a result that is gone")
    # The result of a job that somebody has since deleted is dragged into the form.
    gone = {
        "filename": "gone.png",
        "key": f"workflows/img2img/{uuid4()}/output.png",
        "content_type": "image/png",
    }
    form(page).locator(".drop").evaluate(
        """(field, file) => {
            const dragged = new DataTransfer();
            dragged.setData('application/x-rushes-file', JSON.stringify(file));
            const init = { bubbles: true, cancelable: true, dataTransfer: dragged };
            field.dispatchEvent(new DragEvent('drop', init));
        }""",
        gone,
    )
    expect(form(page)).to_contain_text("gone.png")
    send(page)
    field = form(page).get_by_label("Picture")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(form(page).locator(".fault")).to_have_count(1)
    field.set_input_files(picture())
    expect(form(page).locator(".fault")).to_have_count(0)
    expect(form(page)).to_contain_text("320 × 240")
    send(page)
    finished(page)


def test_a_prompt_is_text_and_nothing_else(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture")
    run(page, prompt=HOSTILE)
    card = finished(page)
    expect(card.locator(".caption")).to_contain_text("<b>bold</b> <img src=x onerror=alert(1)>")
    assert card.locator("b").count() == 0
    card.locator("a.open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("dd", has_text="onerror")).to_be_visible()
    assert dialog.locator("dd b, dd img, h2 img").count() == 0
    job = page.request.get("/api/jobs?scope=mine").json()["data"][0]
    assert job["inputs"]["prompt"] == HOSTILE


def test_speakers_come_and_go(visit: Visit) -> None:
    page = visit()
    choose(page, "Lip-sync, several speakers")
    form(page).get_by_label("Picture").set_input_files(picture())
    speakers = form(page).get_by_role("listitem")
    for _ in range(3):
        form(page).get_by_role("button", name="Add speaker").click()
    expect(form(page).get_by_role("button", name="Add speaker")).to_have_count(0)
    for _ in range(2):
        form(page).get_by_role("button", name="Remove Speaker 3").click()
        if speakers.count() == 2:
            break
    expect(speakers).to_have_count(2)
    for number in (0, 1):
        speakers.nth(number).get_by_label("Mask").set_input_files(picture(colour="#fff"))
    speakers.nth(0).get_by_label("Voice").set_input_files(sound(0.5))
    expect(form(page).get_by_role("progressbar")).to_have_count(0)
    send(page)
    expect(speakers.nth(1).get_by_text("Add an audio.")).to_be_visible()
    expect(speakers.nth(1).get_by_label("Voice")).to_be_focused()
    speakers.nth(1).get_by_label("Voice").set_input_files(sound(0.5))
    expect(form(page).get_by_role("progressbar")).to_have_count(0)
    send(page)
    expect(finished(page)).to_contain_text("0:01")


def test_files_can_be_dropped_and_pasted_anywhere(visit: Visit) -> None:
    page = visit()
    choose(page, "Lip-sync, one speaker")
    for event, file in (("drop", picture(name="dropped.png")), ("paste", sound(name="pasted.wav"))):
        content = base64.b64encode(file["buffer"]).decode()
        page.evaluate(
            """([event, name, type, content]) => {
                const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
                const files = new DataTransfer();
                files.items.add(new File([bytes], name, { type }));
                const init = { bubbles: true, cancelable: true };
                document.body.dispatchEvent(event === 'drop'
                    ? new DragEvent('drop', { ...init, dataTransfer: files })
                    : new ClipboardEvent('paste', { ...init, clipboardData: files }));
            }""",
            [event, file["name"], file["mimeType"], content],
        )
    expect(form(page)).to_contain_text("dropped.png")
    expect(form(page)).to_contain_text("pasted.wav")
    expect(form(page)).to_contain_text("320 × 240")


def test_an_upload_shows_its_progress_and_can_be_cancelled(visit: Visit) -> None:
    page = visit()
    choose(page, "Lip-sync, one speaker")
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    slow.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000},
    )
    form(page).get_by_label("Voice").set_input_files(sound(120, name="long.wav"))
    bar = form(page).get_by_role("progressbar", name="Uploading long.wav")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^([1-9]|[1-9]\d)$"))
    with page.expect_event("requestfailed") as failed:
        form(page).get_by_role("button", name="Cancel the upload of long.wav").click()
    assert "/api/uploads/" in failed.value.url
    expect(bar).to_have_count(0)
    expect(form(page)).not_to_contain_text("long.wav")


def test_the_form_remembers_what_was_typed(visit: Visit) -> None:
    page = visit("/?workflow=slow-picture")
    run(page, prompt="remember me")
    finished(page)
    page.reload()
    expect(form(page).get_by_label("Prompt")).to_have_value("remember me")
    form(page).get_by_role("button", name="Reset").click()
    expect(form(page).get_by_label("Prompt")).to_have_value("nothing much")
    page.reload()
    expect(form(page).get_by_label("Prompt")).to_have_value("nothing much")
