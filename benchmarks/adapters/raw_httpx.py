"""The baseline: httpx (or, with RAW_HTTPX=httpx2, httpx2), an event cutter, and msgspec into typed Structs."""

import importlib
import os
from collections.abc import AsyncIterator

from adapters.contract import Client, Messages
from adapters.wire import answer_text, cut, headers, question, stream_question, texts

httpx = importlib.import_module(os.environ.get("RAW_HTTPX", "httpx"))


class Adapter(Client):
    """One client, its connections kept."""

    async def open(self) -> None:
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=1000)
        self.client = httpx.AsyncClient(timeout=120, limits=limits)
        self.url = self.base + "/v1/chat/completions"
        self.headers = headers(self.key)

    async def unary(self, model: str, messages: Messages) -> str:
        response = await self.client.post(self.url, content=question(model, messages), headers=self.headers)
        response.raise_for_status()
        return answer_text(response.content)

    async def stream(self, model: str, messages: Messages) -> AsyncIterator[str]:
        body = stream_question(model, messages)
        async with self.client.stream("POST", self.url, content=body, headers=self.headers) as response:
            response.raise_for_status()
            rest = b""
            async for data in response.aiter_raw():
                events, rest = cut(rest, data)
                for text in texts(events):
                    yield text
