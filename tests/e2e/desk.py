"""What people do on the page, and the files they bring."""

import io
import math
import struct
import wave
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Locator, Page, expect

DONE = "article[data-status=completed]"


def cards(page: Page) -> Locator:
    return page.get_by_role("feed").get_by_role("article")


def form(page: Page) -> Locator:
    return page.locator("form").first


def choose(page: Page, title: str) -> None:
    """Pick a workflow in the form."""
    picker = page.locator("details.picker")
    picker.locator("summary").click()
    picker.get_by_role("button", name=title).click()
    expect(page.get_by_role("form", name=title)).to_be_visible()


def run(page: Page, **values: str) -> None:
    """Fill the form's text fields by label, and send it."""
    for label, value in values.items():
        form(page).get_by_label(label.replace("_", " ").capitalize(), exact=True).fill(value)
    form(page).get_by_role("button", name="Run").click()


def finished(page: Page, count: int = 1) -> Locator:
    """Wait until so many cards are finished."""
    done = page.locator(DONE)
    expect(done).to_have_count(count, timeout=30_000)
    return done


def all_done(page: Page) -> None:
    """Wait until none of this person's jobs waits or runs, drawn or not."""
    for _ in range(300):
        if not page.request.get("/api/jobs?scope=mine&status=pending&status=processing").json()["data"]:
            return
        page.wait_for_timeout(100)
    raise AssertionError("jobs still wait or run after 30 s")


def submit(page: Page, workflow_type: str, **inputs: Any) -> dict[str, Any]:
    """Submit through the API as this page's person, without the form."""
    body = {"workflow_type": workflow_type, "inputs": inputs}
    answer = page.request.post("/api/jobs", data=body)
    assert answer.status == 201, answer.text()
    job: dict[str, Any] = answer.json()
    return job


def picture(
    width: int = 320, height: int = 240, colour: str = "#3a6ea5", name: str = "picture.png"
) -> FilePayload:
    image = Image.new("RGB", (width, height), colour)
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, width // 2, height // 2), fill="#f0a63a")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()}


def sound(seconds: float = 1.0, name: str = "voice.wav") -> FilePayload:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        steps = range(int(seconds * 16_000))
        out.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(step / 12))) for step in steps))
    return {"name": name, "mimeType": "audio/wav", "buffer": buffer.getvalue()}
