"""How does a request become an effect and an answer, with a fault in between if one is due?"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from infra.sandbox.calls import JSON, Call, Refusal, Reply, answer
from infra.sandbox.faults import Rule
from infra.sandbox.stage import Stage
from infra.sandbox.wire import drop

NEVER = 3_600.0


class Operation:
    """One operation of a provider, as an ASGI endpoint: count, fault, act, answer."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        act: Callable[[Call], Reply],
        refuse: Callable[[int, str], Reply],
    ) -> None:
        self._stage = stage
        self._provider, _, self._operation = name.partition(".")
        self._act = act
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        call = self._call(scope, await _body(receive))
        self._stage.calls.came(call)
        rule = self._stage.faults.pick(call)
        reply = self._answer(call) if rule is None else await self._strike(rule, call, receive)
        status = reply.status if reply else 0
        self._stage.calls.went(call, status, self._stage.clock.now().isoformat())
        if reply is None:
            drop(scope)
        else:
            await _send(reply, send)

    def _call(self, scope: Scope, body: bytes) -> Call:
        path: Mapping[str, object] = scope.get("path_params", {})
        query = scope["query_string"].decode()
        is_refresh = self._operation == "token" and "grant_type=refresh_token" in (
            query + body[:4096].decode("latin-1")
        )
        return Call(
            provider=self._provider,
            operation="refresh" if is_refresh else self._operation,
            method=scope["method"],
            address=scope["path"],
            path={key: str(value) for key, value in path.items()},
            headers={key.decode(): value.decode("latin-1") for key, value in scope["headers"]},
            raw_query=query,
            body=body,
        )

    def _answer(self, call: Call) -> Reply:
        try:
            return self._act(call)
        except Refusal as refusal:
            return refusal.reply

    async def _strike(self, rule: Rule, call: Call, receive: Receive) -> Reply | None:
        """Do to the request what the rule says; None means that the connection is dropped."""
        if rule.when == "late":
            return await self._late(rule, call)
        reply: Reply | None = None
        if rule.when.endswith("after"):
            reply = self._answer(call)
        if rule.kill_pid is not None:
            with suppress(ProcessLookupError):  # it may have died of an earlier one
                os.kill(rule.kill_pid, signal.SIGKILL)
        if rule.when.startswith("hang"):
            await _until_gone(receive, rule.delay_s or NEVER)
            return None
        if rule.when.startswith("reset"):
            return None
        await asyncio.sleep(rule.delay_s)
        return self._refusal(rule, reply)

    async def _late(self, rule: Rule, call: Call) -> Reply:
        if rule.status:
            loop = asyncio.get_running_loop()
            loop.call_later(rule.delay_s, self._answer, call)
            return self._refusal(rule, None)
        await asyncio.sleep(rule.delay_s)
        return self._answer(call)

    def _refusal(self, rule: Rule, true: Reply | None) -> Reply:
        """The fault's own answer; a rule that only kills lets the true one through."""
        if true is not None and not rule.status and rule.kill_pid is not None:
            return true
        if isinstance(rule.body, str):
            reply = Reply(rule.status or 500, rule.body.encode())
        elif rule.body is not None:
            reply = answer(rule.body, rule.status or 500)
        else:
            reply = self._refuse(rule.status or 500, rule.reason)
        extra = [(key.lower().encode(), value.encode()) for key, value in rule.headers.items()]
        return Reply(reply.status, reply.body, [*reply.headers, *extra])


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _until_gone(receive: Receive, seconds: float) -> None:
    """Wait until the caller hangs up, at most so long."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), timeout=seconds)
    except TimeoutError:
        return


async def _send(reply: Reply, send: Send) -> None:
    headers = reply.headers
    if reply.body and not any(key == b"content-type" for key, _ in headers):
        headers = [JSON, *headers]
    length = (b"content-length", str(len(reply.body)).encode())
    if reply.status != HTTPStatus.NO_CONTENT:
        headers = [*headers, length]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
