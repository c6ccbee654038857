"""What did this process log meanwhile? Read in a test as a log collector would."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import structlog

from infra import telemetry
from infra.settings import Settings


@contextmanager
def logged(
    log_format: Literal["json", "pretty"] = "json", *, level: Literal["info", "debug"] = "info"
) -> Iterator[io.StringIO]:
    """All lines from here on, whichever test configured logging before; as it was afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    out = io.StringIO()
    settings = Settings(log_format=log_format, log_level=level)
    telemetry.configure(settings, "worker", out=out)
    try:
        yield out
    finally:
        structlog.reset_defaults()
        root.handlers[:], root.level = before
