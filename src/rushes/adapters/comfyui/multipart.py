"""The body of an upload, made piece by piece: an input file is never whole in memory."""

import re
import uuid
import zlib
from collections.abc import AsyncIterator

from rushes.domain.comfy import PromptRejected
from rushes.domain.job import JobErrorCode

NAME_CHARS = 100


def ascii_name(filename: str) -> str:
    """A name that every server stores as it is; names that had to change keep apart by a checksum."""
    base = re.split(r"[\\/]", filename)[-1]
    stem, dot, extension = base.rpartition(".")
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,10}", extension):
        stem, dot, extension = base, "", ""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_")[:NAME_CHARS] or "input"
    if plain != stem:
        plain += f"-{zlib.crc32(filename.encode('utf-8', 'surrogatepass')):08x}"
    return f"{plain}{dot}{extension}"


class UploadBody:
    """A multipart/form-data body of some fields and one streamed file of known size."""

    def __init__(
        self, stream: AsyncIterator[bytes], *, filename: str, size: int, fields: dict[str, str]
    ) -> None:
        boundary = f"rushes-{uuid.uuid4().hex}"
        self._stream = stream
        self._size = size
        self._filename = filename
        self._head = (
            "".join(
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in fields.items()
            ).encode()
            + (
                f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{filename}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
        )
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self.headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(self._head) + size + len(self._tail)),
        }

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body's bytes. Raises PromptRejected when the file isn't as long as announced."""
        yield self._head
        sent = 0
        async for chunk in self._stream:
            sent += len(chunk)
            if sent > self._size:
                break
            yield chunk
        if sent != self._size:
            raise PromptRejected(
                JobErrorCode.MISSING_INPUT,
                f"The input file {self._filename} has {'more' if sent > self._size else 'only'} "
                f"{min(sent, self._size)} of {self._size} bytes. Upload it again.",
            )
        yield self._tail
