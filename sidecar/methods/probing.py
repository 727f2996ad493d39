"""The stage of a provider's test that may cost something: one tiny question to the model."""

import time
from typing import Final

from msgspec import Struct

from sidecar.handler import Call, ChatHandler, Target
from sidecar.schema.chat import ChatRequest, Message, Reasoning, Text
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status, StreamEvent
from sidecar.schema.policies import RetryOptions, Timeouts
from sidecar.schema.providers import TestStage
from sidecar.schema.usage import Cost, Usage

QUESTION: Final = "Reply with the word OK."
MAX_TOKENS: Final = 256
"""Room for a model that thinks before it answers; others take two or three."""

TIMEOUTS: Final = Timeouts(total=120_000)
TAG: Final = "providers.test"
"""By which the ledger knows such questions."""

NS_PER_MS: Final = 1_000_000


class Probed(Struct, frozen=True):
    """How a question went, and what it took as far as that is known."""

    stage: TestStage
    usage: Usage | None = None
    cost: Cost | None = None


async def probe(chat: ChatHandler, target: Target) -> Probed:
    """Ask the target, nobody else, and once."""
    started = time.monotonic_ns()
    call: Call | None = None
    try:
        call = Call(request=_question(target), target=target, report=_unseen)
        completion = await chat(call, _unheard)
        thought = _judged(call, completion.usage)
    except SidecarError as error:
        stage = TestStage("answer", False, _since(started), error.to_object(), error.details.get("hint"))
        return Probed(stage, cost=call.cost if call else None)
    stage = TestStage("answer", True, _since(started), hint=thought)
    return Probed(stage, completion.usage, call.cost or Cost(amount=None))


def _question(target: Target) -> ChatRequest:
    if not target.model:
        hint = "Name a model in the configuration; models.list tells which there are."
        raise SidecarError("provider_not_configured", "No model is chosen that could be asked.", hint=hint)
    return ChatRequest(
        messages=[Message("user", QUESTION)],
        provider=target.id,
        model=target.model,
        max_tokens=MAX_TOKENS,
        timeouts=TIMEOUTS,
        retry=RetryOptions(max_retries=0),
        fallback=[],
        tags=[TAG],
    )


def _judged(call: Call, usage: Usage) -> str | None:
    """Return what to know of an answer that has no words; raise `malformed_response` where there is none at all.

    A model that thinks may use up all its tokens before the first word, and has shown by them that it works.
    """
    content = call.transcript.message(call.target.origin).content
    said = [type(part) for part in content if isinstance(part, (Text, Reasoning)) and part.text.strip()]
    if Text in said:
        return None
    if said or (usage.source == "reported" and usage.output_tokens):
        return "The model works; of its answer nothing but thinking was seen."
    raise SidecarError("malformed_response", f"{call.target.model} answered with nothing.")


def _since(started_ns: int) -> int:
    return (time.monotonic_ns() - started_ns) // NS_PER_MS


def _unseen(status: Status) -> None:
    del status


async def _unheard(event: StreamEvent) -> None:
    del event
