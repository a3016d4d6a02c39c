"""What can go wrong with a ComfyUI server, sorted by what to do about it.

    ComfyError
    ├── ComfyUnreachable     not there, 5xx, time-out, not a ComfyUI: another attempt may help
    ├── PromptRejected       the graph can't run there: the job fails at once
    └── ComfyFileMissing     /view doesn't have the file
"""

from collections.abc import Mapping
from typing import Any

from rushes.domain.job import JobErrorCode


class ComfyError(Exception):
    """Base of what a ComfyUI server can do wrong; the message is fit for a user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ComfyUnreachable(ComfyError):
    """The server can't be reached or doesn't answer as a ComfyUI does."""


class PromptRejected(ComfyError):
    """ComfyUI refused the graph; `code` says which kind of fault, `details` which node and input."""

    def __init__(self, code: JobErrorCode, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = dict(details or {})


class ComfyFileMissing(ComfyError):
    """ComfyUI no longer has an output file."""
