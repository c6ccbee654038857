"""How is a callback written for its receiver? Pure: the stored envelope in, headers and bytes out.

The same envelope gives the same bytes in every attempt. CloudEvents 1.0: binary mode puts the
attributes into `ce-` headers, structured mode into the body
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md).
"""

from __future__ import annotations

from typing import Any, assert_never

import orjson

from schemas.endpoints import Format


def write_as(format_: Format, envelope: bytes, tenant: str) -> tuple[dict[str, str], bytes]:
    """The headers that say what it is, and the body."""
    match format_:
        case Format.STANDARD:
            return {"content-type": "application/json"}, envelope
        case Format.CLOUDEVENTS_BINARY:
            said = orjson.loads(envelope)
            attributes = _attributes(said, tenant).items()
            headers = {f"ce-{name}": value for name, value in attributes}
            return {"content-type": "application/json", **headers}, orjson.dumps(said["data"])
        case Format.CLOUDEVENTS_STRUCTURED:
            said = orjson.loads(envelope)
            body = {
                **_attributes(said, tenant),
                "datacontenttype": "application/json",
                "data": said["data"],
            }
            return {"content-type": "application/cloudevents+json"}, orjson.dumps(body)
        case _:
            assert_never(format_)


def _attributes(said: dict[str, Any], tenant: str) -> dict[str, str]:
    """`sequence` is the extension of that name; ids, types and moments are plain ASCII."""
    return {
        "specversion": "1.0",
        "id": said["id"],
        "source": f"/tenants/{tenant}",
        "type": said["type"],
        "subject": said["data"]["subject"],
        "time": said["timestamp"],
        "sequence": str(said["data"]["sequence"]),
    }
