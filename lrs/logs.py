"""The logs of a process: structured, one line an event, on stderr."""

import logging
import sys
import time
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

from lrs.xapi.times import format_stored


def configure(log_format: str) -> None:
    """Set up the logs of this process, ours and the libraries', on stderr: "json" lines, or "console" for people.

    For commands; a host application that mounts us keeps its own set-up.
    """
    shared: list[Processor] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    structlog.configure(
        processors=[_to_line] if log_format == "json" else [*shared, _for_people()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_factory(log_format),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    text = [structlog.processors.format_exc_info, _to_text] if log_format == "json" else [_for_people()]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *text]))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _for_people() -> Processor:
    # Not the default, which prints the local variables of every frame, secrets and passwords among them.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def _factory(log_format: str) -> Any:
    if log_format == "json":
        return structlog.BytesLoggerFactory(file=sys.stderr.buffer)
    return structlog.PrintLoggerFactory(file=sys.stderr)


def _to_line(logger: Any, name: str, event: EventDict) -> bytes:
    """A JSON line, made in one step instead of four: there is one for each request."""
    structlog.processors.add_log_level(logger, name, event)
    event["timestamp"] = format_stored(time.time_ns() // 1000)
    return _to_bytes(structlog.processors.format_exc_info(logger, name, event) if "exc_info" in event else event)


def _to_bytes(event: EventDict) -> bytes:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS)


def _to_text(_logger: Any, _name: str, event: Any) -> str:
    return _to_bytes(event).decode()
