"""Each callback type has a schema of its own, an example that fits it, and both can be fetched."""

from __future__ import annotations

import httpx
import jsonschema
import pytest

from schemas.callbacks import CallbackType
from tests.api.stage import kind_of


async def test_every_type_is_listed_with_an_example_that_its_schema_accepts(
    partner: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    listed = (await partner.get("/v1/callback-types")).json()["items"]

    assert [each["type"] for each in listed] == [kind.value for kind in CallbackType]
    for each in listed:
        schema = (await stranger.get(each["schema_url"])).json()
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(each["example"], schema)
        assert schema["$id"] == each["schema_url"]
        assert each["says"]


@pytest.mark.parametrize("kind", CallbackType)
async def test_a_schema_refuses_what_is_not_of_its_type(
    stranger: httpx.AsyncClient, kind: CallbackType
) -> None:
    answer = await stranger.get(f"/schemas/{kind.value}.json")

    assert answer.headers["content-type"] == "application/schema+json"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {"id": "x", "type": "other", "timestamp": "", "data": {}}, answer.json()
        )


async def test_there_is_no_schema_of_what_is_no_type(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/schemas/meeting.nothing.json")

    assert (answer.status_code, kind_of(answer)) == (404, "not-found")
