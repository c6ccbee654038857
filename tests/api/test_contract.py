"""Does the API keep what its document promises? schemathesis plays every operation against it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis import checks
from schemathesis.core.failures import FailureGroup

from infra.store import Store
from schemas.people import Scope
from tests.api.serving import served
from tests.api.stage import ADMIN, DeskWorker, LinkUp, MakePartner
from tests.api.test_isolation import furnish
from webhooks.api.table import ROWS

EXAMPLES: Final = 8
checks.load_all_checks()
CHECKS: Final = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)


async def test_every_answer_of_every_operation_is_one_that_the_document_names(
    home: Path, store: Store, worker: DeskWorker, link_up: LinkUp, make_partner: MakePartner
) -> None:
    partner = await make_partner("acme", *Scope)
    things = await furnish(partner, link_up)
    key = str(partner.headers["authorization"]).split()[1]

    async with served(home, rate_per_s="0") as (_, address):
        broken = await asyncio.to_thread(play_all, address, key, things)

    assert worker.asked, "what goes to a worker was played too"
    assert broken == {}


def play_all(address: str, key: str, things: dict[str, str]) -> dict[str, str]:
    """What the operations did that their description does not name."""
    schema: Any = schemathesis.openapi.from_url(f"{address}/openapi.json")
    broken = {}
    for row in ROWS:
        operation = schema.find_operation_by_id(row.name)
        try:
            play(operation, ADMIN if row.needs == "operator" else key, things)
        except FailureGroup as failures:
            broken[row.name] = "; ".join(str(each) for each in failures.exceptions)
    return broken


def play(operation: Any, key: str, things: dict[str, str]) -> None:  # noqa: ANN401  schemathesis names no public type
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(), strategies.booleans())
    def one(case: Any, known: bool) -> None:  # noqa: ANN401
        if known:  # else it would hardly ever name a thing that is there
            case.path_parameters = {
                name: things.get(name, made) for name, made in (case.path_parameters or {}).items()
            }
        answer = case.call(headers={"authorization": f"Bearer {key}"}, timeout=60)
        case.validate_response(answer, checks=CHECKS)

    one()
