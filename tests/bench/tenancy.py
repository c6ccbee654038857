"""A tenant and its application, at an API of this process: for benches whose partners ask it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from infra import telemetry
from tests.bench.stand import Stand
from tests.workers.partner import ADMIN, Partner, at_the_door
from tests.workers.stage import Stage
from workers.main import open_runtime


@asynccontextmanager
async def let_in(place: Stand) -> AsyncIterator[Partner]:
    """Over the stand's store; what goes well is not logged."""
    quiet = {"admin_key": SecretStr(ADMIN), "log_level": "warning"}
    settings = place.settings.model_copy(update=quiet)
    telemetry.configure(settings, "bench", out=sys.stderr)
    async with open_runtime(settings) as runtime, at_the_door(Stage(runtime, "bench")) as partner:
        yield partner
