"""May we call this endpoint? Asked of its owner before the first callback (CloudEvents).

An OPTIONS request says who wants to call; the endpoint allows it by naming us in
`WebHook-Allowed-Origin` (https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md,
section 4). Asking for a later answer by callback is not offered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import httpx

from infra.errors import NotSent, Refused, Unknown
from schemas.endpoints import Endpoint, Health
from workers.domain.backoff import wait_before
from workers.domain.proofs import Agreed, Declined, read_proof
from workers.jobs.callback_request import extra_headers, origin_of
from workers.runtime import Runtime

AGAIN_AFTER: Final = tuple(timedelta(seconds=s) for s in (30, 300, 1800, 7200, 18_000))
"""Then nobody asks any more until a person does."""
ANSWER_AT_MOST: Final = 1024
A_MINUTE: Final = 60


async def prove(
    runtime: Runtime, tenant: str, endpoint: Endpoint, health: Health
) -> tuple[Health, timedelta | None]:
    """The health after one handshake, and when to make it again if it did not succeed.

    A second run asks once more, which any endpoint must bear.
    """
    answer = await _ask(runtime, tenant, endpoint)
    if isinstance(answer, Agreed):
        return health.model_copy(
            update={
                "proven_url": endpoint.url,
                "proof_tries": 0,
                "refusal": "",
                "allowed_rate_per_s": answer.rate_per_s,
            }
        ), None
    tries = health.proof_tries + 1
    wait = wait_before(tries, dice=runtime.dice(), schedule=AGAIN_AFTER)
    after = {"proof_tries": tries if wait else 0, "refusal": answer.reason}
    return health.model_copy(update=after), wait


async def _ask(runtime: Runtime, tenant: str, endpoint: Endpoint) -> Agreed | Declined:
    origin = origin_of(runtime)
    ours = {"webhook-request-origin": origin}
    if endpoint.rate_per_s is not None:
        ours["webhook-request-rate"] = str(max(1, int(endpoint.rate_per_s * A_MINUTE)))
    headers = {**extra_headers(runtime, tenant, endpoint), **ours}
    request = httpx.Request("OPTIONS", endpoint.url, headers=headers)
    deadline = timedelta(seconds=endpoint.timeout_s)
    try:
        answer = await runtime.partners_wire.send(
            request, name="endpoint.proof", deadline=deadline, max_body=ANSWER_AT_MOST
        )
    except (Refused, NotSent, Unknown) as error:
        return Declined(str(error))
    return read_proof(answer.status_code, answer.headers, origin)
