"""What does a process tell about itself? One line per unit of work, figures, and never a secret.

A line is a dotted past event and fields: `log.info("callback.attempted", endpoint=id, status=503)`.
Ids belong in it; titles, addresses, bodies and tokens do not. Should one slip in, it is dropped by
its name, masked by its look, or reduced to the name of its type.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, TextIO

import orjson
import structlog
from prometheus_client import CollectorRegistry, Info, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from structlog.typing import Processor

from infra.settings import Settings

HIDDEN: Final = "[hidden]"
_LONGEST: Final = 1_000
_LONGEST_TRACE: Final = 16_000

# By name: what must not be logged whatever it looks like.
_SECRET_NAME: Final = re.compile(
    r"token|secret|passw|passcode|authorization|cookie|signature|credential|verifier|private"
    r"|api_?key|^code$|^body$|^title$|^topic$|^e?mail$|^attendees$|(^|_)(url|link)$",
    re.IGNORECASE,
)
# By look, wherever it stands in a text.
_SECRET_LOOK: Final = (
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(whsec|whsk|tl)_[\w+/=-]{8,}"), rf"\1_{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),  # a JWT
    # A path holds routes and link tokens, a query passcodes, a user part passwords: keep the host.
    (re.compile(r"\b([a-z][a-z+]{1,11}://)(?:[^\s/@]*@)?([^\s/?#'\"]+)[^\s'\")\]]*"), r"\1\2/…"),
    (
        re.compile(
            r"\b(\w*token|\w*secret|password|passcode|pwd|signature|code(?==))"
            r"(['\"]?\s*[=:]\s*['\"]?)[^\s&'\",}]+",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), HIDDEN),  # an e-mail address
)
_SECRET_MARK: Final = re.compile(r"[\s@:=]|whsec_|whsk_|tl_|eyJ")
"""Each of these looks has one in it. Most texts are ids, and ten of them are in a line."""
_PLAIN_NAMES: Final = frozenset({"event", "level", "at", "exception", "logger", "process"})
_OURS: Final = frozenset({"level", "at", "process"})
"""Written over whatever was given, a step before `redact`."""


def configure(settings: Settings, process: str, *, out: TextIO | None = None) -> None:
    """Set up logging of this process, ours and its libraries'; called once at its start.

    uvicorn is to be run with `log_config=None, access_log=False`.
    """
    out = out or sys.stdout
    pretty = settings.log_format == "pretty" or (settings.log_format == "auto" and out.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        lambda _, __, line: {**line, "process": process},
        redact,
    ]
    show: Processor = (
        structlog.dev.ConsoleRenderer(
            timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
        )
        if pretty
        else _json
    )
    structlog.configure(
        processors=[*before, show],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        # A logger keeps what it was given first: only a stream that is never exchanged will do.
        cache_logger_on_first_use=out in (sys.stdout, sys.stderr),
    )
    _quieten_libraries(before, show, out)


def redact(_: object, __: str, line: MutableMapping[str, object]) -> Mapping[str, object]:
    """The last step before a line is written."""
    return {name: value if name in _OURS else _safe(name, value) for name, value in line.items()}


@contextmanager
def trace(trace_id: str | None = None) -> Iterator[str]:
    """Give every line inside this trace id; without one, a new one (128 random bits, in hex)."""
    chosen = trace_id or secrets.token_hex(16)
    with structlog.contextvars.bound_contextvars(trace=chosen):
        yield chosen


def new_registry(process: str) -> CollectorRegistry:
    """Where the figures of this process are kept; hand it to every Counter, Gauge, Histogram."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    Info("tieline", "Which process this is", registry=registry).info({"process": process})
    return registry


def render(registry: CollectorRegistry) -> tuple[bytes, str]:
    """The body of `/metrics` and its content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _quieten_libraries(before: list[Processor], show: Processor, out: TextIO) -> None:
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, show],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # arq writes the arguments of every job at INFO
    for name in ("arq", "uvicorn", "uvicorn.error", "uvicorn.access", "httpx"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)


@lru_cache(maxsize=1024)
def _tells_a_secret(name: str) -> bool:
    return name not in _PLAIN_NAMES and _SECRET_NAME.search(name) is not None


def _safe(name: str, value: object) -> object:
    if _tells_a_secret(name):
        return HIDDEN
    match value:
        case None | int() | float():  # a bool is one
            return value
        case str():  # of a trace the end tells what happened
            part = value[-_LONGEST_TRACE:] if name == "exception" else value[:_LONGEST]
            return _masked(part)
        case list() | tuple() | set() | frozenset():
            return [_safe(name, each) for each in value]
        case dict():
            return {str(key): _safe(str(key), each) for key, each in value.items()}
        case _:
            return _said(value)


def _said(value: object) -> str | float:
    match value:
        case date():  # a datetime is one
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case BaseException():
            return _masked(f"{type(value).__name__}: {value}"[:_LONGEST])
        case _:  # a model, a response, a secret: its type is all that is told
            return f"<{type(value).__name__}>"


def _masked(text: str) -> str:
    if _SECRET_MARK.search(text) is None:
        return text
    for look, instead in _SECRET_LOOK:
        text = look.sub(instead, text)
    return text


def _json(_: object, __: str, line: MutableMapping[str, object]) -> str:
    return orjson.dumps(line).decode()
