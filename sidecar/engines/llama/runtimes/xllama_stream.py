"""What llama.cpp's server is asked, and what it says: JSON of its own and of OpenAI's kind.

https://github.com/ggml-org/llama.cpp/tree/master/tools/server
"""

import re
from typing import Any, Final

from msgspec import Struct
from msgspec.json import Decoder

from sidecar.engines.llama.protocol import Chat, Count, Done, Finish
from sidecar.engines.llama.runtimes import Answer, context_exceeded, text_too_long
from sidecar.engines.llama.runtimes.places import Held
from sidecar.engines.llama.runtimes.readers import Reader
from sidecar.schema.errors import SidecarError

RANDOM_SEED: Final = 0xFFFF_FFFF
FULL: Final = "Context size has been exceeded."
"""What the server tells all whom it ends, because one of them has no place left."""

TOO_LONG: Final = re.compile(r"(?:input|request) \((\d+) tokens\)")
"""How it begins to say that a text does not fit, which it does in several ways."""

FINISHES: Final[dict[str, Finish]] = {"stop": "stop", "length": "length"}


class _Text(Struct, frozen=True):
    content: str | None = None
    reasoning_content: str | None = None


class _Choice(Struct, frozen=True):
    delta: _Text = _Text()
    finish_reason: str | None = None


class _Progress(Struct, frozen=True):
    cache: int = 0


class _Timings(Struct, frozen=True):
    prompt_ms: float = 0
    predicted_n: int = 0
    predicted_ms: float = 0


class Fault(Struct, frozen=True):
    """Why there is no answer."""

    message: str = ""
    type: str = ""
    n_prompt_tokens: int | None = None
    n_ctx: int | None = None


class _Chunk(Struct, frozen=True):
    choices: list[_Choice] = []
    prompt_progress: _Progress | None = None
    timings: _Timings | None = None
    error: Fault | None = None


class _Embedding(Struct, frozen=True):
    embedding: list[float] = []


class _Usage(Struct, frozen=True):
    prompt_tokens: int = 0


class Vectors(Struct, frozen=True):
    """The reply to a request for vectors."""

    data: list[_Embedding] = []
    usage: _Usage = _Usage()
    error: Fault | None = None


class Size(Struct, frozen=True):
    """The reply to the question how many tokens a conversation has."""

    input_tokens: int = 0
    error: Fault | None = None


_decode: Final = Decoder(_Chunk).decode
decode_vectors: Final = Decoder(Vectors).decode
decode_size: Final = Decoder(Size).decode


class Stream:
    """One answer as it arrives. A callback may not raise, so an error waits for `done`.

    `paused` says that the prompt was left for now, and is to be asked again.
    """

    def __init__(self, answer: Answer, prompt_tokens: int, held: Held, reader: Reader) -> None:
        self._answer = answer
        self._prompt_tokens = prompt_tokens
        self._held = held
        self._reader = reader
        self.paused = False
        self._finish: Finish | None = None
        self._error: Fault | None = None
        self._begun: _Progress | None = None
        self._timings: _Timings | None = None
        self._prompt_ms = 0.0

    def take(self, line: str) -> bool:
        """Take the next chunk; returns whether the server shall stop."""
        chunk = _decode(line)
        self._error = self._error or chunk.error
        self._begun = self._begun or chunk.prompt_progress
        self._timings = chunk.timings or self._timings
        for choice in chunk.choices:
            self._add(choice)
        used = self._prompt_tokens + (self._timings.predicted_n if self._timings else 0)
        full = self._finish is None and not self._held.enough(used)
        self._finish = "length" if full else self._finish
        self._read()
        return full or self.paused or self._answer.cancelled

    def _read(self) -> None:
        """See whether the prompt has been read, or is to be left for now."""
        if self._finish or self._error or (self._timings and self._timings.predicted_n):
            self._reader.end()
        elif self._reader.gives_way():
            self.paused = True

    def resume(self) -> None:
        """Go on where it was left."""
        self._prompt_ms += self._timings.prompt_ms if self._timings else 0
        self.paused, self._timings = False, None

    def _add(self, choice: _Choice) -> None:
        if choice.delta.reasoning_content:
            self._answer.add("reasoning", choice.delta.reasoning_content)
        if choice.delta.content:
            self._answer.add("text", choice.delta.content)
        if choice.finish_reason is not None:
            self._finish = FINISHES.get(choice.finish_reason, "stop")

    def done(self, chat_id: int) -> Done:
        """Return how the answer ended; raises `SidecarError` when it did not come about."""
        if self._error is not None and not self._cut(self._error):
            raise failure(self._error)
        if self._finish is None and not self._answer.cancelled:
            raise SidecarError("server_error", "The local engine ended the answer without saying why.")
        timings = self._timings or _Timings()
        return Done(
            chat_id,
            self._finish or "cancelled",
            prompt_tokens=self._prompt_tokens,
            completion_tokens=timings.predicted_n,
            cached_tokens=self._begun.cache if self._begun else 0,
            prompt_ms=round(self._prompt_ms + timings.prompt_ms),
            generation_ms=round(timings.predicted_ms),
        )

    def _cut(self, error: Fault) -> bool:
        """Tell whether the error only means that an answer, once begun, found no more room."""
        if error.message == FULL and self._timings is not None and self._timings.predicted_n:
            self._finish = "length"
        return self._finish is not None


def chat_body(chat: Chat) -> dict[str, Any]:
    """Return the request for an answer."""
    sampling = chat.sampling
    wanted = conversation_body(chat) | {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": RANDOM_SEED if sampling.seed is None else sampling.seed,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "max_tokens": chat.max_tokens,
        "stop": chat.stop or None,
        "response_format": _format(chat.schema),
        # A server that looks for thoughts holds an answer to its schema only behind them, even where there are none.
        "reasoning_format": "none" if chat.schema is not None and chat.template_options else None,
    }
    # Without progress there is no call back, and so no way to cancel, until the whole prompt is evaluated.
    wanted |= {"stream": True, "return_progress": True, "timings_per_token": True}
    return {name: value for name, value in wanted.items() if value is not None}


def conversation_body(command: Chat | Count) -> dict[str, Any]:
    """Return what makes up the prompt."""
    return {"messages": command.messages, "chat_template_kwargs": command.template_options}


def _format(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def no_vector(error: Fault, context_size: int) -> SidecarError:
    """Say why a text has no vector."""
    found = TOO_LONG.match(error.message)
    if found is None:
        return refusal(error.message)
    tokens = int(found[1])
    # Some models need the last place for themselves.
    return text_too_long(tokens, min(context_size, tokens - 1))


def failure(error: Fault) -> SidecarError:
    """Say why there is no answer."""
    if error.type == "exceed_context_size_error":
        return context_exceeded(error.n_prompt_tokens or 0, error.n_ctx or 0)
    if error.message == FULL:
        return SidecarError("server_error", "Other conversations filled the context of the local engine.")
    return refusal(error.message)


def refusal(reason: str) -> SidecarError:
    """Say that the request is at fault, for a reason in the server's words."""
    if "schema" in reason.lower() or "grammar" in reason.lower():
        message = "The local engine cannot make answers follow this JSON schema."
        return SidecarError("unsupported_feature", message, hint=reason[-300:], param="response_format")
    return SidecarError("request_rejected", "The local engine refused the request.", hint=reason[:300])
