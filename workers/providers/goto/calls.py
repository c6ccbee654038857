"""How is one call made to GoTo, and its answer read? Shared by the clients of its roles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import httpx
from pydantic import ValidationError

from infra.errors import Unknown
from infra.http.wire import Wire
from workers.ports import Access
from workers.providers.goto.answers import remedy

G2M: Final = "/G2M/rest"
_T = TypeVar("_T")
_Words = TypeVar("_Words")


class Caller:
    """Makes calls, each in its turn; keeps nothing."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def call(
        self,
        operation: str,
        access: Access,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        send_by: float | None = None,
        admin: str = "",
    ) -> httpx.Response:
        """The answer, if it is a success. Raises what `infra.errors` names by remedy; `admin` is
        the sentence for a 403 of what only administrators may do."""
        request = httpx.Request(
            method,
            f"{access.api}{path}",
            params=query,
            headers={"Authorization": f"Bearer {access.token}", "Accept": "application/json"},
            json=body,
        )
        async with access.turn():
            answer = await self._wire.send(request, name=f"goto.{operation}", send_by=send_by)
        if error := remedy(answer, access.host, admin=admin):
            raise error
        return answer


def read(
    reader: Callable[[type[_Words], bytes], _T], words: type[_Words], answer: httpx.Response
) -> _T:
    """What a success says. Raises Unknown for words that we do not know."""
    try:
        return reader(words, answer.content)
    except ValidationError as error:  # not chained: it would quote what people wrote
        fields = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
        said = f"GoTo answered {answer.status_code} in words we do not know: {fields[:5]}"
        raise Unknown(said) from None
    except ValueError:
        raise Unknown(f"GoTo answered {answer.status_code} with what we cannot read") from None
