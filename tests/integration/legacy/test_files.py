"""files: what still exists comes into the uniform layout, and nothing else is contacted."""

import base64
import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from rushes.adapters.media.sniff import kind_of, sniff
from rushes.adapters.remote.files import HttpFiles
from rushes.adapters.storage.local import LocalStorage
from rushes.domain.errors import InvalidSetting
from rushes.legacy.files import Fetched, Fetching
from rushes.legacy.hashing import check_files
from rushes.legacy.inline import decoded
from rushes.legacy.places import Places, Refused
from tests.integration.legacy.old_servers import MP4, PNG, OldServers, running
from tests.integration.legacy.taking import both, everything, taken
from tests.integration.legacy.test_verify import verified

pytestmark = pytest.mark.anyio
VIDEOS = "multitalk-videos/videos"


@pytest.fixture
def old() -> Iterator[OldServers]:
    servers = OldServers(private={"multitalk-videos"})
    first = "0a6f1c1e-5b0e-4a55-9f3e-000000000001_lipsync1person_00012-audio.mp4"
    servers.objects = {
        f"{VIDEOS}/2025-09-10/{first}": ("video/mp4", MP4),
        f"{VIDEOS}/2025-11-09/0a6f1c1e-5b0e-4a55-9f3e-000000000011_img2img_00001_.png": ("video/mp4", PNG),
        f"{VIDEOS}/2025-09-20/y_lipsyncv2v_00004-audio.mp4": ("video/mp4", MP4),
        f"{VIDEOS}/1755684660000_WanVideo2_1_multitalk_00003.mp4": ("video/mp4", b""),
        "edited-images/edited-images/2025-09-02/bbbbbbbb.png": ("image/png", PNG),
        "images/da000000-0000-4000-8000-000000000001/10.png": ("image/png", PNG),
    }
    servers.broken = {f"{VIDEOS}/2025-09-20/y_lipsyncv2v_00004-audio.mp4"}
    servers.views = {
        ("temp", "", "AnimateDiff_00001-audio.mp4"): MP4,
        ("output", "platform", "wani2v_00031_.mp4"): MP4,
        ("temp", "", "final_cut_v2.mp4"): MP4,
    }
    with running(servers):
        yield servers


def places(old: OldServers) -> Places:
    return Places(
        storage=f"{old.url}/storage/v1", storage_key=old.key, comfy={"https://comfy.example.net": old.url}
    )


async def fetched(url: str, old: OldServers, folder: Path, source: str | None = None, **options) -> Fetched:
    storage = LocalStorage(folder)
    await storage.start()
    async with both(url, source) as (there, here), HttpFiles() as remote:
        fetching = Fetching(
            source=there, target=here, storage=storage, remote=remote, places=options.pop("places", None) or places(old),
            sniff=lambda head, name: (sniff(head, filename=name), kind_of(sniff(head, filename=name))), **options,
        )  # fmt: skip
        return await fetching.run()


def result(url: str, row: str) -> tuple:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT outputs #> '{files,0}', result_urls, id::text, workflow_type FROM workflow_jobs WHERE legacy_id LIKE '%%' || %s",
            (row,),
        ).fetchone()
        assert found
        return found


async def test_files_come_into_the_uniform_layout_and_rows_point_at_them(
    sample_url: str, old: OldServers, tmp_path: Path
) -> None:
    await taken(sample_url)
    done = await fetched(sample_url, old, tmp_path)
    assert done.stored == 8  # 3 objects of multitalk and edited, 1 item, 3 views, 1 data: URL
    file, urls, job, kind = result(sample_url, "-9f3e-000000000001")
    assert file["key"] == f"workflows/{kind}/{job}/output_video.mp4"
    assert urls == [f"/storage/{file['key']}"]
    assert file["sha256"] == hashlib.sha256(MP4).hexdigest()
    assert (tmp_path / file["key"]).read_bytes() == MP4
    assert file["source"]["kind"] == "storage"
    # a picture that was stored as video/mp4
    file, *_ = result(sample_url, "000000000011")
    assert (file["content_type"], file["kind"]) == ("image/png", "image")
    assert file["key"].endswith("/output_image.png")
    for row in ("-9f3e-000000000014", "-9f3e-000000000009", "-9f3e-000000000015"):
        assert result(sample_url, row)[1], row
    with psycopg.connect(sample_url) as connection:
        (image,) = (
            connection.execute(
                "SELECT inputs -> 'image' FROM workflow_jobs WHERE prompt_text = 'remove the background'"
            ).fetchone()
            or ()
        )
        assert image["content_type"] == "image/png"
        assert (tmp_path / image["key"]).read_bytes().startswith(b"\x89PNG")
        (item,) = (
            connection.execute(
                "SELECT image FROM caption_dataset_items WHERE image ->> 'filename' = '10.png'"
            ).fetchone()
            or ()
        )
        assert (tmp_path / item["key"]).read_bytes() == PNG
    assert (await verified(sample_url)).right
    (tmp_path / image["key"]).write_bytes(b"other")
    (tmp_path / item["key"]).unlink()
    storage = LocalStorage(tmp_path)
    await storage.start()
    async with both(sample_url) as (_, here):
        found = await verified(sample_url, also=partial(check_files, here, storage))
    assert found.different == {"file source_image_url": 1, "file d1000000-0000-4000-8000-000000000001": 1}
    assert found.files["checked"] == 8


async def test_what_cannot_be_had_is_listed_with_its_reason(
    sample_url: str, old: OldServers, tmp_path: Path
) -> None:
    await taken(sample_url)
    done = await fetched(sample_url, old, tmp_path)
    reasons = {(one["row"][-4:], one["slot"]): one["reason"] for one in done.failures}
    assert reasons["0002", "video_url"] == "the file is empty"
    assert "broke off" in reasons["0007", "video_url"]
    assert reasons["0005", "video_url"] == "the server answered 404"
    assert reasons["0003", "filename"] == "its ComfyUI isn't configured (--comfy-url)"
    assert reasons["0001", "style_image_url"] == "it was in a browser's memory only (blob:)"
    assert reasons["0005", "source_image_url"]
    assert done.failed == len(done.failures) == sum(done.reasons.values())
    assert result(sample_url, "-9f3e-000000000007")[1] == []


async def test_before_migrate_or_after_it_is_the_same_and_a_second_run_fetches_nothing(
    sample_url: str, schema_url: str, source_url: str, old: OldServers, tmp_path: Path
) -> None:
    await taken(sample_url)
    await fetched(sample_url, old, tmp_path / "after")
    await fetched(schema_url, old, tmp_path / "before", source_url)
    await taken(schema_url, source_url)
    assert [{**row, "version": 0} for row in everything(schema_url)] == [
        {**row, "version": 0} for row in everything(sample_url)
    ]
    before = len(old.asked)
    again = await fetched(sample_url, old, tmp_path / "after", at_once=1, rate=1e9)
    assert (again.stored, again.known) == (0, 8)
    assert not any("lipsync1person" in path for path in old.asked[before:])
    old.broken.clear()
    assert (await fetched(sample_url, old, tmp_path / "after")).stored == 1
    assert (await taken(sample_url)).written == 0
    assert result(sample_url, "-9f3e-000000000007")[1]


async def test_nothing_but_what_is_configured_is_contacted(empty_url: str, tmp_path: Path) -> None:
    """Rows name a private server, loopback and the metadata service; the trap is a server of ours that nobody configured."""
    with running(OldServers()) as trap, running(OldServers()) as old:
        old.redirects = {
            "/storage/v1/object/public/b/away.png": f"{trap.url}/x",
            "/storage/v1/object/public/b/meta.png": "http://169.254.169.254/latest",
        }
        old.objects = {"b/near.png": ("image/png", PNG)}
        old.redirects["/storage/v1/object/public/b/here.png"] = "/storage/v1/object/public/b/near.png"
        urls = [
            f"{trap.url}/view?filename=a.png&subfolder=&type=output", f"{trap.url}/a.png", "http://169.254.169.254/latest/meta-data",
            "http://[::1]/x.png", f"http://comfy.example.net@{trap.url[7:]}/view?filename=a&type=output",
            "https://abc/storage/v1/object/public/b/away.png", "https://abc/storage/v1/object/public/b/meta.png",
            "https://abc/storage/v1/object/public/b/../../../../secret", "https://abc/storage/v1/object/public/b/%2e%2e/x", "file:///etc/passwd",
            "https://abc/storage/v1/object/public/b/here.png",
        ]  # fmt: skip
        with psycopg.connect(empty_url, autocommit=True) as app:
            for url in urls:
                app.execute("INSERT INTO edited_images (source_image_url, prompt) VALUES (%s, '')", (url,))
        done = await fetched(
            empty_url,
            old,
            tmp_path,
            places=Places(storage=f"{old.url}/storage/v1", comfy={"http://comfy.example.net": old.url}),
        )
        assert trap.asked == []
        assert (done.stored, done.failed) == (1, len(urls) - 1)
        assert all("secret" not in path and ".." not in path for path in old.asked)


async def test_a_large_inline_file_comes_in_pieces(empty_url: str, tmp_path: Path) -> None:
    content = PNG + bytes(range(256)) * 40_000  # 10 MB
    with psycopg.connect(empty_url, autocommit=True) as app:
        url = f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
        app.execute("INSERT INTO edited_images (source_image_url, prompt) VALUES (%s, 'x')", (url,))
        app.execute(
            "INSERT INTO edited_images (source_image_url, prompt) VALUES ('data:image/png;base64,!!!', 'y')"
        )
    await taken(empty_url)
    done = await fetched(empty_url, OldServers(), tmp_path, places=Places())
    assert (done.stored, done.bytes) == (1, len(content))
    assert done.reasons == {"its data: URL is broken": 1}
    with psycopg.connect(empty_url) as app:
        (key,) = (
            app.execute(
                "SELECT inputs #>> '{image,key}' FROM workflow_jobs WHERE prompt_text = 'x'"
            ).fetchone()
            or ()
        )
    assert (tmp_path / key).read_bytes() == content


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("data:image/png;base64,aGVsbG8gd29ybGQ=", b"hello world"),
        ("data:;base64,aGVsbG8gd29ybGQ", b"hello world"),
        ("data:;base64,aGVs\nbG8g d29ybGQ%3D", b"hello world"),
        ("data:text/plain,a%20b%C3%B1", "a bñ".encode()),
        ("data:,", b""),
        ("data:nothing", None),
        ("data:;base64,*", None),
    ],
)
async def test_data_urls(url: str, wanted: bytes | None, size: int) -> None:
    async def parts():
        for start in range(0, len(url), size):
            yield url[start : start + size]

    if wanted is None:
        with pytest.raises(Refused):
            [block async for block in decoded(parts())]
    else:
        assert b"".join([block async for block in decoded(parts())]) == wanted


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSetting):
        Places(storage="abc.supabase.co")
