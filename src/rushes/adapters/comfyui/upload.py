"""Input files, streamed to a server."""

from collections.abc import AsyncIterator

from rushes.adapters.comfyui.multipart import UploadBody, ascii_name
from rushes.adapters.comfyui.wire import Wire
from rushes.domain.comfy import ComfyError, ComfyUnreachable, PromptRejected
from rushes.domain.job import JobErrorCode


async def send_file(
    wire: Wire, stream: AsyncIterator[bytes], *, filename: str, subfolder: str, size: int
) -> str:
    """Send a file to the server's input folder; its name for a graph.

    Nothing is overwritten: the server keeps equal bytes under the same name and gives others a new one.
    Raises PromptRejected when the server won't have it, ComfyUnreachable.
    """
    name = ascii_name(filename)
    body = UploadBody(stream, filename=name, size=size, fields={"subfolder": subfolder, "type": "input"})
    try:
        answer = await wire.ask("POST", "/upload/image", body=body, headers=body.headers, limit_seconds=None)
    except ComfyUnreachable as error:
        if await _too_large(wire, size):
            raise _refusal(name, size) from error
        raise
    if answer.status == 413:
        raise _refusal(name, size)
    if answer.status != 200:
        raise PromptRejected(
            JobErrorCode.UPLOAD_FAILED, f"ComfyUI refused the input file {name} ({answer.status})."
        )
    stored = answer.mapping()
    if not isinstance(stored.get("name"), str):
        raise ComfyUnreachable(f"{wire.address.url} took a file, but didn't say under which name.")
    return "/".join(part for part in (str(stored.get("subfolder") or ""), stored["name"]) if part)


async def _too_large(wire: Wire, size: int) -> bool:
    """Whether a connection that broke during an upload broke for the file's size."""
    try:
        limit = (await wire.get("/features")).get("max_upload_size")
    except ComfyError:
        return False
    return isinstance(limit, int | float) and size > limit


def _refusal(name: str, size: int) -> PromptRejected:
    return PromptRejected(
        JobErrorCode.UPLOAD_FAILED,
        f"The input file {name} ({size / 1024**2:.0f} MB) is larger than this ComfyUI server accepts. "
        "Use a smaller file, or start ComfyUI with a higher --max-upload-size.",
        {"filename": name, "size_bytes": size},
    )
