"""What does a notification of Microsoft Graph say? Only what we use of its elements.

https://learn.microsoft.com/graph/api/resources/changenotification
"""

from __future__ import annotations

import json
from typing import NamedTuple

from pydantic import ConfigDict, Field, ValidationError

from schemas.records import Wire


class Encrypted(Wire):
    """What a change is about, as the subscription selected it. All but the names is base64."""

    data: str
    key: str = Field(alias="dataKey")
    signature: str = Field(alias="dataSignature")
    certificate: str = Field(alias="encryptionCertificateId")


class Carried(Wire):
    """One change with its content, as the door hands it on."""

    model_config = ConfigDict(from_attributes=True)

    tenant: str = Field(alias="tenantId")
    encrypted: Encrypted = Field(alias="encryptedContent")


class Carriers(Wire):
    """Changes with their contents, and the tokens of who sent them."""

    value: tuple[Carried, ...]
    tokens: tuple[str, ...] = Field(default=(), alias="validationTokens")


class Told(Wire):
    """A content when it is open: which event in which version, for no more is asked for."""

    id: str
    etag: str = Field(default="", alias="@odata.etag")
    change_key: str = Field(default="", alias="changeKey")

    @property
    def version(self) -> str:
        """As a reading of the event shows it."""
        return self.etag or f'W/"{self.change_key}"'


class Resource(Wire):
    """What a change names in the clear."""

    id: str = ""
    etag: str = Field(default="", alias="@odata.etag")


class Element(Wire):
    """One change, or one word about the subscription itself, which names no resource."""

    subscription: str = Field(default="", alias="subscriptionId")
    state: str | None = Field(default=None, alias="clientState")
    """What we gave when we subscribed: the only proof there is."""
    lifecycle: str | None = Field(default=None, alias="lifecycleEvent")
    """`reauthorizationRequired`, `subscriptionRemoved` or `missed`."""
    change: object = Field(default=None, alias="changeType")
    tenant: object = Field(default=None, alias="tenantId")
    resource: object = Field(default=None, alias="resourceData")
    encrypted: object = Field(default=None, alias="encryptedContent")
    """These four as they came: whatever they are, the change is a hint."""

    @property
    def version(self) -> tuple[str, ...]:
        """What tells this change from every other; empty if it does not say."""
        try:
            named = Resource.model_validate(self.resource)
        except ValidationError:
            return ()
        if not (named.id and named.etag and isinstance(self.change, str)):
            return ()
        return (self.subscription, named.id, self.change, named.etag)


class Batch(NamedTuple):
    """One message: changes, and the tokens of who sent their contents."""

    elements: list[Element]
    tokens: list[object]


def read_batch(body: bytes) -> Batch:
    """Read a message; elements that cannot be read are left out, and so is all of a body that is
    none."""
    try:
        said = json.loads(body)
        rows, tokens = said.get("value", []), said.get("validationTokens")
    except (ValueError, AttributeError, RecursionError):
        return Batch([], [])
    found = [_element(row) for row in rows] if isinstance(rows, list) else []
    elements = [one for one in found if one is not None]
    return Batch(elements, tokens if isinstance(tokens, list) else [])


def _element(row: object) -> Element | None:
    try:
        return Element.model_validate(row)
    except ValidationError:
        return None
