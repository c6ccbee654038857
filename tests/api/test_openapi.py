"""The document says what the routes do."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS31Validator
from starlette.applications import Starlette
from starlette.routing import Route

from schemas.callbacks import DATA, CallbackType
from webhooks.api.examples import example
from webhooks.api.openapi import document
from webhooks.api.table import ROWS

DOCUMENT = document(ROWS, "http://api.test")


def refs(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if "$ref" in part else set()
        return own.union(*(refs(each) for each in part.values()))
    return set().union(*(refs(each) for each in part)) if isinstance(part, list) else set()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    ]


def schema(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "components": DOCUMENT["components"]}


SHAPE = {
    "type": "object",
    "required": ["openapi", "info", "paths", "webhooks", "components"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"required": ["title", "version"]},
        "paths": {
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "propertyNames": {"enum": ["get", "post", "put", "patch", "delete"]},
                "additionalProperties": {"$ref": "#/$defs/operation"},
            },
        },
        "webhooks": {
            "additionalProperties": {
                "required": ["post"],
                "properties": {"post": {"$ref": "#/$defs/operation"}},
            }
        },
    },
    "$defs": {
        "operation": {
            "type": "object",
            "required": ["operationId", "tags", "description", "responses"],
            "properties": {
                "parameters": {"items": {"$ref": "#/$defs/parameter"}},
                "requestBody": {
                    "required": ["content"],
                    "properties": {"content": {"$ref": "#/$defs/content"}},
                },
                "responses": {
                    "minProperties": 1,
                    "propertyNames": {"pattern": "^[1-5](XX|[0-9]{2})$"},
                    "additionalProperties": {
                        "required": ["description"],
                        "properties": {"content": {"$ref": "#/$defs/content"}},
                    },
                },
            },
        },
        "parameter": {
            "required": ["name", "in", "schema"],
            "properties": {"in": {"enum": ["path", "query", "header"]}},
            "if": {"properties": {"in": {"const": "path"}}},
            "then": {"properties": {"required": {"const": True}}},
        },
        "content": {"additionalProperties": {"required": ["schema"]}},
    },
}


def test_the_document_has_the_shape_of_openapi_3_1() -> None:
    Draft202012Validator(SHAPE).validate(DOCUMENT)


def test_every_schema_is_valid_json_schema() -> None:
    for each in DOCUMENT["components"]["schemas"].values():
        OAS31Validator.check_schema(each)


def test_every_reference_leads_somewhere() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}

    assert refs(DOCUMENT) <= known


def test_no_two_operations_share_a_name() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(set(names)) == len(names)


def test_every_part_of_a_path_is_described() -> None:
    told = [
        {part["name"] for part in operation["parameters"] if part["in"] == "path"}
        for _, _, operation in operations()
    ]

    assert told == [set(re.findall(r"{(\w+)}", path)) for path, _, _ in operations()]


def test_what_is_described_is_mounted_and_what_is_mounted_is_described(app: Starlette) -> None:
    mounted = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith("/v1/")
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert mounted == {(path, method) for path, method, _ in operations()}


@pytest.mark.parametrize("kind", CallbackType)
def test_every_callback_has_an_example_that_fits_its_schema(kind: CallbackType) -> None:
    content = DOCUMENT["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]

    OAS31Validator(schema(content["schema"])).validate(content["example"])
    assert DATA[kind].model_validate(example(kind).data).tenant == "acme"


def test_a_callback_that_lacks_its_meeting_does_not_fit() -> None:
    kind = CallbackType.MEETING_PROVISIONED
    content = DOCUMENT["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]
    wrong = {**content["example"], "data": {}}

    assert not OAS31Validator(schema(content["schema"])).is_valid(wrong)


async def test_answers_fit_the_schema_they_are_promised_with(partner: httpx.AsyncClient) -> None:
    body = {
        "title": "Interview",
        "starts_at": "2027-01-05T10:00:00+01:00",
        "ends_at": "2027-01-05T11:00:00+01:00",
    }
    answer = await partner.put("/v1/meetings/fits", json=body)

    promised = DOCUMENT["paths"]["/v1/meetings/{meeting}"]["put"]["responses"]
    content = promised[str(answer.status_code)]["content"]["application/json"]
    OAS31Validator(schema(content["schema"])).validate(answer.json())


async def test_the_document_and_the_page_can_be_read_without_a_key(
    stranger: httpx.AsyncClient,
) -> None:
    said, page = await stranger.get("/openapi.json"), await stranger.get("/docs")

    assert said.json() == DOCUMENT
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


async def test_the_page_loads_nothing_from_anywhere(stranger: httpx.AsyncClient) -> None:
    page = await stranger.get("/docs")

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<(script|img|link|iframe)|\bsrc=|url\(|@import", page.text)


async def test_the_page_shows_every_operation_and_callback(stranger: httpx.AsyncClient) -> None:
    page = (await stranger.get("/docs")).text

    assert [row.name for row in ROWS if f'id="{row.name}"' not in page] == []
    assert [kind for kind in CallbackType if f"<code>{kind.value}</code>" not in page] == []
