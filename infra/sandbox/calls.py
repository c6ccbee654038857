"""Who called what, and what were they answered?"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl

import orjson

from infra.sandbox.documents import Doc

Headers: TypeAlias = list[tuple[bytes, bytes]]
JSON = (b"content-type", b"application/json; charset=UTF-8")


@dataclass(slots=True)
class Call:
    """One request as an operation of a provider sees it."""

    provider: str
    operation: str
    method: str
    address: str
    path: dict[str, str]
    headers: dict[str, str]
    raw_query: str
    body: bytes

    @property
    def subject(self) -> str:
        """The calendar, meeting or user the request is about; empty when it names none."""
        for name in ("calendar", "meeting", "user"):
            if name in self.path:
                return self.path[name]
        return ""

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, the last of each name."""
        if not self.raw_query:
            return {}
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    def every(self, name: str) -> list[str]:
        """All values of a repeated query parameter."""
        return [value for key, value in parse_qsl(self.raw_query) if key == name]

    @property
    def form(self) -> dict[str, str]:
        """The body as a form, over what the query says (token endpoints accept both)."""
        return self.query | dict(parse_qsl(self.body.decode("utf-8", "replace")))

    def json(self) -> Doc:
        """The body as a JSON object; ValueError when it is none."""
        value = orjson.loads(self.body) if self.body else {}
        if not isinstance(value, dict):
            raise ValueError("not a JSON object")  # noqa: TRY004 - the body is wrong, not a type
        return value

    @property
    def bearer(self) -> str:
        """The access token; empty when there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""


@dataclass(slots=True)
class Reply:
    """An answer before it goes on the wire."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list)


class Refusal(Exception):
    """The provider says no; carries what it answers."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def answer(document: object, status: int = 200, headers: Headers | None = None) -> Reply:
    """Answer with compact, unescaped JSON."""
    return Reply(status, orjson.dumps(document), [JSON, *(headers or [])])


class Calls:
    """Counts requests per operation and subject, and remembers the latest ones."""

    def __init__(self, remember: int = 5_000) -> None:
        self.counts: Counter[str] = Counter()
        self.by_subject: Counter[tuple[str, str]] = Counter()
        self.latest: deque[Doc] = deque(maxlen=remember)

    def came(self, call: Call) -> None:
        """Count a request before anything is done about it."""
        name = f"{call.provider}.{call.operation}"
        self.counts[name] += 1
        self.by_subject[name, call.subject] += 1

    def went(self, call: Call, status: int, at: str) -> None:
        """Remember how a request was answered; status 0 is a dropped connection."""
        self.latest.append(
            {
                "at": at,
                "operation": f"{call.provider}.{call.operation}",
                "subject": call.subject,
                "query": call.raw_query,
                "status": status,
            }
        )

    def forget(self) -> None:
        """Start counting anew."""
        self.counts.clear()
        self.by_subject.clear()
        self.latest.clear()
