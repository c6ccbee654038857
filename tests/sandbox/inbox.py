"""A receiver for what the sandbox pushes: keeps every request, answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from aiohttp import web

Answer = Callable[["Post"], web.Response]


@dataclass(frozen=True)
class Post:
    headers: dict[str, str]
    body: bytes
    query: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> dict:
        return orjson.loads(self.body)


@dataclass
class Inbox:
    """`answer` is asked for each request; `posts` keeps them in order of arrival."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answer: Answer = lambda post: web.Response(status=204)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def has(self, count: int) -> list[Post]:
        """Wait until so many requests came; returns all."""
        async with asyncio.timeout(10), self._came:
            await self._came.wait_for(lambda: len(self.posts) >= count)
        return self.posts

    async def take(self, request: web.Request) -> web.Response:
        post = Post(dict(request.headers), await request.read(), dict(request.query))
        async with self._came:
            self.posts.append(post)
            self._came.notify_all()
        return self.answer(post)


def answering(*statuses: int) -> Answer:
    """Answer with these statuses in turn, then with 204."""
    left = list(statuses)
    return lambda post: web.Response(status=left.pop(0) if left else 204)


@asynccontextmanager
async def open_inbox() -> AsyncIterator[Inbox]:
    inbox = Inbox()
    app = web.Application()
    app.router.add_post("/{tail:.*}", inbox.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    inbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield inbox
    finally:
        await runner.cleanup()
