"""How does the command line speak to the API? One client, and its problems as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import httpx

Json: TypeAlias = Any
"""What an answer holds; each command knows the shape it asked for."""
PATIENCE: Final = 30.0  # seconds; a desk call is answered or deferred within ten


class Problem(Exception):
    """The API said no; `str()` is what it says to do."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind


class Api:
    """The partner API with one key. `await api.aclose()` when done."""

    def __init__(self, address: str, key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def get(self, path: str, **query: str) -> Json:
        """Read. Raises Problem."""
        return await self._call("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Make. Raises Problem."""
        return await self._call("POST", path, body=body or {})

    async def put(self, path: str, body: Mapping[str, Any]) -> Json:
        """Replace. Raises Problem."""
        return await self._call("PUT", path, body=body)

    async def change(self, path: str, body: Mapping[str, Any]) -> Json:
        """Change what is named. Raises Problem."""
        return await self._call("PATCH", path, body=body)

    async def replace(self, path: str, body: Mapping[str, Any]) -> Json:
        """Replace what is there now, whatever it is. Raises Problem; `changed` when somebody else
        wrote between."""
        there = await self._answer("GET", path)
        return await self._call("PUT", path, body=body, version=there.headers.get("etag"))

    async def delete(self, path: str) -> Json:
        """Take away. Raises Problem."""
        return await self._call("DELETE", path)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        version: str | None = None,
    ) -> Json:
        answer = await self._answer(method, path, body=body, query=query, version=version)
        return answer.json() if answer.content else None

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        version: str | None = None,
    ) -> httpx.Response:
        headers = {"If-Match": version} if version else None
        try:
            answer = await self._client.request(
                method, path, json=body, params=query, headers=headers
            )
        except httpx.TransportError as error:
            words = f"No answer from {self._client.base_url}. Is it up? Try: tieline up"
            raise Problem(0, "unavailable", words) from error
        if answer.is_success:
            return answer
        raise _problem(answer)


def _problem(answer: httpx.Response) -> Problem:
    if "problem+json" not in answer.headers.get("content-type", ""):
        return Problem(answer.status_code, "unavailable", f"HTTP {answer.status_code}")
    told = answer.json()
    faults = "".join(f"\n  {one['field']}: {one['fault']}" for one in told.get("errors", ()))
    kind = str(told["type"]).rpartition("/")[2]
    return Problem(answer.status_code, kind, f"{told['detail']}{faults}")
