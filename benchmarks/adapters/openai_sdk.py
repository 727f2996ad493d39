"""OpenAI's own Python SDK."""

from collections.abc import AsyncIterator

from openai import AsyncOpenAI

from adapters.contract import Client, Messages


class Adapter(Client):
    """One client, as its documentation advises."""

    async def open(self) -> None:
        self.client = AsyncOpenAI(base_url=self.base + "/v1", api_key=self.key, max_retries=0, timeout=120)

    async def unary(self, model: str, messages: Messages) -> str:
        completion = await self.client.chat.completions.create(model=model, messages=messages)
        return completion.choices[0].message.content

    async def stream(self, model: str, messages: Messages) -> AsyncIterator[str]:
        create, options = self.client.chat.completions.create, {"include_usage": True}
        async for chunk in await create(model=model, messages=messages, stream=True, stream_options=options):
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text
