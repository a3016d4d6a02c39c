"""Logs: one line a request and a state change, for people or as JSON."""

import logging
import re
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(setting: str, *, quiet: bool = False) -> None:
    """Set up logging from RUSHES_LOG: a level, and json or console. `quiet` is for one-shot commands."""
    parts = [part.strip() for part in setting.split(",")]
    level = (
        logging.WARNING if quiet else next((_LEVELS[part] for part in parts if part in _LEVELS), logging.INFO)
    )
    as_json = "json" in parts or ("console" not in parts and not sys.stderr.isatty() and not quiet)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, *_rendering(as_json)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Lossy(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        stream=sys.stderr, level=max(level, logging.WARNING), format="%(name)s: %(message)s", force=True
    )


class _Lossy:
    """Where lines go that may be lost: a closed terminal, a pipe that nobody reads any more or a full disk must not
    end the work that a line is about."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._file.flush()


def _rendering(as_json: bool) -> list[structlog.typing.Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # plain: the coloured kind shows the values of all variables, and prompts and passwords are among them
    return [
        _harmless,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _harmless(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Control characters in names and paths written out: they must not reach the terminal."""
    return {name: _CONTROL.sub(_written_out, v) if isinstance(v, str) else v for name, v in event.items()}


def _written_out(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"
