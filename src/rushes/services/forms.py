"""A job as a form or a command line gives it: texts and files by name."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from rushes.domain.errors import InvalidInput, InvalidRequest
from rushes.domain.form_inputs import place, read_text
from rushes.domain.principal import Principal
from rushes.ports import Json, WorkflowCatalog
from rushes.services.uploads import Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file under the (dotted) name of its input."""

    name: str
    filename: str
    size_bytes: int
    content_type: str | None
    chunks: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class FormInputs:
    """Inputs in the shape of JSON, and the digest of each file by the name of its input."""

    inputs: Json
    digests: list[tuple[str, str | None]]


class Forms:
    """Turns forms into inputs."""

    def __init__(self, *, catalog: WorkflowCatalog, uploads: Uploads) -> None:
        self._catalog = catalog
        self._uploads = uploads

    @asynccontextmanager
    async def inputs(
        self,
        principal: Principal,
        workflow_type: str,
        texts: Sequence[tuple[str, str]],
        parts: Sequence[FilePart],
    ) -> AsyncIterator[FormInputs]:
        """The inputs; the uploads behind them last as long as the block. Raises InvalidInput, TooLarge …"""
        manifest = self._catalog.get(workflow_type).manifest
        inputs = read_text(manifest, texts)
        digests: list[tuple[str, str | None]] = []
        async with AsyncExitStack() as stack:
            for part in parts:
                reference, digest = await self._upload(stack, principal, part)
                place(manifest, inputs, part.name, reference)
                digests.append((part.name, digest))
            yield FormInputs(inputs, digests)

    async def _upload(
        self, stack: AsyncExitStack, principal: Principal, part: FilePart
    ) -> tuple[dict[str, str], str | None]:
        try:
            created = await self._uploads.create(
                principal, filename=part.filename, size_bytes=part.size_bytes, declared_type=part.content_type
            )
            stack.push_async_callback(self._uploads.discard, created)
            upload, _ = await self._uploads.receive(principal, created.id, part.chunks())
        except InvalidRequest as error:
            raise InvalidInput({part.name: error.message}) from None
        return {"upload_id": str(upload.id)}, upload.sha256
