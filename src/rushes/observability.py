"""Logs: one line a request and a state change, for people or as JSON."""

import logging
import sys

import structlog

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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        stream=sys.stderr, level=max(level, logging.WARNING), format="%(name)s: %(message)s", force=True
    )


def _rendering(as_json: bool) -> list[structlog.typing.Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
