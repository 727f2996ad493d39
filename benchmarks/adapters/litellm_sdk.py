"""LiteLLM, as a library."""

import os
from collections.abc import AsyncIterator

# Without it the import fetches a price list from the network.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm

from adapters.contract import Client, Messages


class Adapter(Client):
    """The module-level functions, as its documentation advises."""

    async def open(self) -> None:
        litellm.suppress_debug_info = True
        self.options = {"api_base": self.base + "/v1", "api_key": self.key, "max_retries": 0}

    async def unary(self, model: str, messages: Messages) -> str:
        completion = await litellm.acompletion(model=f"openai/{model}", messages=messages, **self.options)
        return completion.choices[0].message.content

    async def stream(self, model: str, messages: Messages) -> AsyncIterator[str]:
        options = {**self.options, "stream": True, "stream_options": {"include_usage": True}}
        async for chunk in await litellm.acompletion(model=f"openai/{model}", messages=messages, **options):
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text
