"""Logs of every process: one event a line, a constant name and fields.

    configure("central", level="info")
    log = structlog.get_logger()
    log.info("ticket.issued", office="centro", seq=17)

JSON lines by default (`at`, `level`, `process`, `event`, then the fields); readable columns when standard error is a
terminal. Libraries that use the standard `logging` come out in the same form. Fields are ids and numbers: never names,
documents, telephone numbers, addresses or what a QR held.
"""

import logging
import sys
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["json", "console", "auto"]

# These tell of every request or packet at "info"; their troubles still come through.
_CHATTY = ("httpx", "httpcore", "aiosqlite", "asyncio", "PIL", "mail.log")


def configure(process: str, level: Level = "info", form: Format = "auto", stream: TextIO | None = None) -> None:
    """Set up structlog and the standard `logging` of this process; a later call replaces an earlier one.

    Args:
        process: `central`, `edge_node`, `kiosk_agent` …, in every line.
        level: the least that is written.
        form: `json`, `console`, or `auto`: columns on a terminal, JSON otherwise.
        stream: standard error unless given.
    """
    out = stream or sys.stderr
    readable = form == "console" or (form == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _Stamp(process),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(readable, out)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class _Stamp:
    """Puts the process's name into every line."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", self._process)
        return event


class _Traceback(structlog.tracebacks.ExceptionDictTransformer):
    """Where an exception came from, without what the variables held and without the row that a database quotes: those
    are names, documents and secrets.
    """

    def __call__(self, exc_info: ExcInfo) -> list[dict[str, Any]]:
        stacks = super().__call__(exc_info)
        for stack in stacks:
            stack["exc_value"] = stack["exc_value"].partition("\nDETAIL:")[0]
        return stacks


def _renderers(readable: bool, out: TextIO) -> list[Processor]:
    if readable:
        return [structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    return [
        structlog.processors.ExceptionRenderer(_Traceback(show_locals=False)),
        structlog.processors.EventRenamer("event"),
        _in_reading_order,
        structlog.processors.JSONRenderer(serializer=_encode),
    ]


def _in_reading_order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    first = {key: event.pop(key) for key in ("at", "level", "process", "event") if key in event}
    return {**first, **event}


def _encode(event: EventDict, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
