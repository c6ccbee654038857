"""What does a notification of Microsoft Graph say? Only what we use of its elements.

https://learn.microsoft.com/graph/api/resources/changenotification
"""

from __future__ import annotations

import json

from pydantic import Field, ValidationError

from schemas.records import Wire


class Element(Wire):
    """One change, or one word about the subscription itself, which names no resource."""

    subscription: str = Field(default="", alias="subscriptionId")
    state: str | None = Field(default=None, alias="clientState")
    """What we gave when we subscribed: the only proof there is."""
    lifecycle: str | None = Field(default=None, alias="lifecycleEvent")
    """`reauthorizationRequired`, `subscriptionRemoved` or `missed`."""


def read_elements(body: bytes) -> list[Element]:
    """The elements of a batch; those that cannot be read are left out, and so is all of a body
    that is none."""
    try:
        rows = json.loads(body).get("value", [])
    except (ValueError, AttributeError, RecursionError):
        return []
    found = [_element(row) for row in rows] if isinstance(rows, list) else []
    return [one for one in found if one is not None]


def _element(row: object) -> Element | None:
    try:
        return Element.model_validate(row)
    except ValidationError:
        return None
