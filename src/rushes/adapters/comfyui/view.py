"""Output files, streamed."""

import mimetypes
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from urllib.parse import urlencode

from rushes.adapters.comfyui.wire import Wire
from rushes.domain.comfy import ComfyFile, ComfyFileMissing, ComfyUnreachable

SHOWN = 100  # characters


@asynccontextmanager
async def stream(wire: Wire, file: ComfyFile) -> AsyncIterator[AsyncIterator[bytes]]:
    """The file's bytes, of which none may be lacking. Raises ComfyFileMissing, ComfyUnreachable."""
    query = urlencode({"filename": file.filename, "subfolder": file.subfolder, "type": file.type})
    async with wire.open("GET", f"/view?{query}", headers={"Accept-Encoding": "identity"}) as response:
        if response.status_code != 200:
            raise ComfyFileMissing(
                f"ComfyUI no longer has the output file {_shown(file)} ({response.status_code})."
            )
        length = response.headers.get("content-length", "")
        encoded = "content-encoding" in response.headers  # a proxy's doing; then the length is another
        known = None if encoded or not length.isdecimal() else int(length)
        async with aclosing(_whole(response.aiter_bytes(), known, file)) as chunks:
            yield chunks


async def _whole(
    chunks: AsyncIterator[bytes], length: int | None, file: ComfyFile
) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        yield chunk
    if length is not None and received != length:
        raise ComfyUnreachable(f"Of {_shown(file)} only {received} of {length} bytes arrived.")
    if received == 0 and _is_media(file.filename):  # a text may be empty, a picture can't
        raise ComfyFileMissing(
            f"The output file {_shown(file)} is empty on the ComfyUI server: is its disk full?"
        )


def _is_media(filename: str) -> bool:
    return (mimetypes.guess_type(filename)[0] or "").startswith(("image/", "video/", "audio/"))


def _shown(file: ComfyFile) -> str:
    """The name for a message: whatever a server says it is, it has a length."""
    return file.filename if len(file.filename) <= SHOWN else f"{file.filename[:SHOWN]}…"
