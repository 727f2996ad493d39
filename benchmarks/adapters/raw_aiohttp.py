"""aiohttp, an event cutter, and msgspec into typed Structs."""

from collections.abc import AsyncIterator

import aiohttp

from adapters.contract import Client, Messages
from adapters.wire import answer_text, cut, headers, question, stream_question, texts


class Adapter(Client):
    """One session, its connections kept."""

    async def open(self) -> None:
        timeout, connector = aiohttp.ClientTimeout(total=120), aiohttp.TCPConnector(limit=1000)
        self.session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        self.url = self.base + "/v1/chat/completions"
        self.headers = headers(self.key)

    async def unary(self, model: str, messages: Messages) -> str:
        async with self.session.post(self.url, data=question(model, messages), headers=self.headers) as response:
            response.raise_for_status()
            return answer_text(await response.read())

    async def stream(self, model: str, messages: Messages) -> AsyncIterator[str]:
        body = stream_question(model, messages)
        async with self.session.post(self.url, data=body, headers=self.headers) as response:
            response.raise_for_status()
            rest = b""
            async for data in response.content.iter_any():
                events, rest = cut(rest, data)
                for text in texts(events):
                    yield text
