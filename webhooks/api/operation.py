"""What is one row of the API? Path, who may, what it takes, gives and refuses, and who does it.

The rows are mounted and described from the same values, so the document cannot disagree.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers

from infra.lanes import Unit
from schemas.desk import DeskAsk
from schemas.keyed import Said
from schemas.people import Actor, Scope
from schemas.problems import ProblemType
from schemas.records import Record, Schema
from webhooks.api.auth import TENANT, Caller
from webhooks.api.desk import Asking, Heard
from webhooks.api.front import Front
from webhooks.api.keyed import HEADER, Hold
from webhooks.api.problems import changed, read_first
from webhooks.api.shown_once import hide

Body = TypeVar("Body")
P = TypeVar("P", bound="Page")

Needs = Scope | Literal["operator", "key"]
"""A scope of the key, any key of an application, or the installation's admin key."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of a path."""

    pattern: str
    means: str


def _id(prefix: str, what: str) -> Parameter:
    return Parameter(rf"{prefix}_[a-z2-7]{{20}}", f"Id of the {what}.")


EXTERNAL_ID: Final = r"[A-Za-z0-9._:@~+-]{1,200}"

PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        "tenant": Parameter(TENANT, "Id of the tenant."),
        "application": _id("app", "application"),
        "key": _id("key", "API key"),
        "client": _id("cli", "client"),
        "connection": _id("con", "connection"),
        "calendar": _id("cal", "calendar"),
        "endpoint": _id("end", "endpoint"),
        "grant": _id("grt", "grant"),
        "callback": _id("cb", "callback"),
        "recovery": _id("rec", "recovery"),
        "conference": Parameter(r"[A-Za-z0-9_=+.-]{1,200}", "The provider's id of a conference."),
        "organizer": Parameter(r"[A-Za-z0-9_.-]{1,100}", "The provider's key of an organizer."),
        "request": _id("dr", "request"),
        "event": Parameter(r"[A-Za-z0-9_@.-]{1,1024}", "The provider's id of the event."),
        "meeting": Parameter(EXTERNAL_ID, "Your own id of the meeting, or ours (`mtg_…`)."),
    }
)

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "If-Match": "The ETag you read; the change is refused (412) if it is not current.",
        HEADER: "Yours for this request: done once, its answer is kept for 24 hours and repeated"
        " without secrets. 1 to 255 visible ASCII characters, such as a UUID.",
        "Prefer": "`wait=10` waits up to that many seconds for the join link (at most 10).",
    }
)


class Shape(Schema):
    """A body that comes or goes: strict, its fields described by the words below them."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Page(Schema):
    """Which part of a list: `after` is `next` of the page before. Callers see it as a cursor that
    says nothing to them; handlers see the place it stands for."""

    after: str = Field(default="", max_length=500, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="How many at most.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. No status means the row's own."""

    body: BaseModel | None = None
    text: bytes = b""
    """In place of a body: JSON that must not be written anew."""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def said(self, status: int) -> Said:
        """As it may be kept and repeated, without what is shown once; `status` is the row's."""
        body = "" if self.body is None else hide(self.body).model_dump_json()
        return Said(status=self.status or status, headers=dict(self.headers), body=body)


@dataclass(frozen=True, slots=True)
class Call(Generic[Body]):
    """One admitted and understood request."""

    front: Front
    caller: Caller
    body: Body
    path: Mapping[str, str]
    headers: Headers
    page: Page
    query: Schema
    """What stood behind the question mark, in the shape that the row asks for."""
    trace: str
    now: datetime
    hold: Hold | None = None
    """On its Idempotency-Key, if it has one."""

    @property
    def tenant(self) -> str:
        """Whose data this call is about: the key's tenant; an operator names it in the path."""
        return self.caller.tenant or self.path["tenant"]

    def asked(self, of: type[P]) -> P:
        """What stands behind the question mark, in the shape that the row gave for it."""
        if not isinstance(self.page, of):
            raise TypeError(f"the row asks for {type(self.page).__name__}, not {of.__name__}")
        return self.page

    @property
    def actor(self) -> Actor:
        """Who makes the change."""
        return self.caller.actor

    async def submit(self, unit: Unit, answer: Answer) -> Answer:
        """Write what the call does together with what it answers, or nothing; the answer.

        Raises as `lanes.submit` does.
        """
        if self.hold is None:
            await self.front.store.lanes.submit(self.tenant, unit)
        else:
            await self.hold.submit(self.tenant, unit, answer.said(self.hold.status))
        return answer

    async def ask(
        self, ask: DeskAsk, *, group: str | None = None, reads_only: bool = False
    ) -> Heard:
        """Ask a worker, at most one thing a call; under an Idempotency-Key never twice.

        Raises Denied.
        """
        id_ = self.hold.call.desk if self.hold else None
        asking = Asking(self.tenant, self.actor, ask, group=group, id=id_, reads_only=reads_only)
        return await self.front.desk.ask(asking)

    def must_match(self, rev: int, what: str, *, needed: bool = False) -> None:
        """Refuse the change if the caller read another version, or `needed` to and read none.

        Raises Denied.
        """
        wanted = self.headers.get("if-match")
        if wanted is None and needed:
            raise read_first(what)
        if wanted is None or (wanted.strip() == "*" and rev > 0):
            return
        if etag(rev) not in {tag.strip() for tag in wanted.split(",")}:
            raise changed(what)


Handle = Callable[[Call[Body]], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)  # slots and Operation[...]() do not go together in 3.11
class Operation(Generic[Body]):
    """One row: everything that is to know of a method on a path."""

    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    room: str
    needs: Needs
    says: str
    """One or two sentences for the reader of the documentation."""
    handle: Handle[Body]
    takes: type[Body] | None = None
    body_optional: bool = False
    """Whether the body may be missing altogether."""
    asks: type[Schema] | None = None
    """What may stand behind the question mark, if that is more than a page."""
    gives: type[BaseModel] | None = None
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict)
    """Other good statuses and when they come."""
    problems: tuple[ProblemType, ...] = ()
    headers: tuple[str, ...] = ()
    paged: bool = False
    versioned: bool = False
    """Whether its answers have an ETag."""
    harmless: bool = False
    """Of a POST: it may be done again when the first was cut off, because its effect is written
    by `Call.submit`, is asked for by `Call.ask`, or is the same one when done twice."""

    @property
    def query(self) -> type[Schema] | None:
        """The shape of what stands behind the question mark, if anything may."""
        return self.asks or (Page if self.paged else None)


Row = Operation[Any]


def etag(rev: int) -> str:
    """The version of a document, as HTTP spells it."""
    return f'"{rev}"'


def version(record: Record) -> dict[str, str]:
    """The header that says which version of the document an answer shows."""
    return {"ETag": etag(record.rev)}
