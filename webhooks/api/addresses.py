"""Where do we send people, vendors and callbacks? Addresses that are ours, or that we accept."""

from __future__ import annotations

import httpx

from infra.errors import Refused
from infra.settings import Settings
from schemas.problems import FieldFault, ProblemType
from schemas.providers import Provider
from webhooks.api.front import Front
from webhooks.api.problems import Denied, wrong_field


def redirect_url(public_url: str, provider: str) -> str:
    """Where a vendor sends the browser back to; registered there letter by letter."""
    return f"{public_url.rstrip('/')}/connect/callback/{provider}"


def check_endpoint(field: str, url: str, front: Front) -> None:
    """Judge where callbacks are to go, as far as its text tells. Raises Denied."""
    try:
        front.guard.check_url(_read(field, url))
    except Refused as refusal:
        fault = FieldFault(field=field, fault=refusal.reason)
        raise Denied(ProblemType.ENDPOINT_REFUSED, refusal.reason, errors=(fault,)) from None


def check_page(field: str, url: str) -> None:
    """Judge a page that people are sent to: their browser goes there, not we. Raises Denied."""
    read = _read(field, url)
    local = read.host in {"localhost", "127.0.0.1"}
    if read.userinfo or read.fragment or not (read.scheme == "https" or local):
        raise wrong_field(field, "Send an https:// address without a user name or a fragment.")


def check_base_url(field: str, url: str | None, front: Front) -> None:
    """A worker will carry secrets there, so only the operator says where. Raises Denied."""
    if url is not None and url not in front.settings.provider_urls.values():
        raise wrong_field(
            field, "Ask the operator to allow this address in TIELINE_PROVIDER_URLS, or leave out."
        )


def doors_of(provider: Provider, base_url: str | None, settings: Settings) -> Provider:
    """The provider where a client, or the installation, says that it lives."""
    return provider.at(base_url or settings.provider_urls.get(provider.name))


def _read(field: str, url: str) -> httpx.URL:
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        raise wrong_field(field, "This is not an address.") from None
    if read.scheme not in {"https", "http"} or not read.host:
        raise wrong_field(field, "Send a whole address, beginning with https://.")
    return read
