"""One sandbox process for the folder, begun anew for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from msgraph.graph_service_client import GraphServiceClient

from infra.sandbox.client import Sandbox
from infra.sandbox.process import serving
from tests.sandbox.google import Google
from tests.sandbox.graph import graph_at
from tests.sandbox.inbox import Inbox, open_inbox

ADA = "ada@example.org"


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
async def sandbox(address: str) -> AsyncIterator[Sandbox]:
    async with Sandbox.at(address) as sandbox:
        await sandbox.reset()
        yield sandbox


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with open_inbox() as inbox:
        yield inbox


@pytest.fixture
async def calendar(sandbox: Sandbox) -> str:
    return await sandbox.google.add_account(ADA)


@pytest.fixture
async def google(sandbox: Sandbox, calendar: str) -> AsyncIterator[Google]:
    """Google's own client, signed in as Ada."""
    tokens = await sandbox.google.sign_in(ADA)
    google = Google(sandbox.url, tokens)
    yield google
    google.close()


@pytest.fixture
async def host(sandbox: Sandbox) -> str:
    return await sandbox.zoom.add_account(ADA)


@pytest.fixture
async def zoom(sandbox: Sandbox, host: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of Zoom's API, signed in as Ada."""
    tokens = await sandbox.zoom.sign_in(host)
    async with httpx.AsyncClient(
        base_url=f"{sandbox.url}/zoom/v2",
        headers={"Authorization": f"Bearer {tokens.access}"},
        trust_env=False,
    ) as client:
        yield client


@pytest.fixture
async def mailbox(sandbox: Sandbox) -> str:
    return await sandbox.graph.add_account(ADA, name="Ada")


@pytest.fixture
async def graph(sandbox: Sandbox, mailbox: str) -> AsyncIterator[GraphServiceClient]:
    """Microsoft's own client, signed in as Ada."""
    async with graph_at(sandbox.url, await sandbox.graph.sign_in(mailbox)) as client:
        yield client
