"""llama.cpp's own server engine, in process. https://github.com/xorbitsai/xllamacpp"""

import importlib
import re
import secrets
from typing import Any, Final

from msgspec import Struct
from msgspec.json import Decoder, Encoder

from sidecar.engines.llama.protocol import Chat, Done, Embed, Finish, Load, Pooling, RuntimeName
from sidecar.engines.llama.runtimes import (
    BATCH,
    POOLINGS,
    Answer,
    context_exceeded,
    normalised,
    text_too_long,
    whole_batch,
)
from sidecar.schema.errors import SidecarError

ERRORS_ONLY: Final = 1
GPU_BATCH: Final = 512
PROMPT_CACHE_MIB: Final = 512
RANDOM_SEED: Final = 0xFFFF_FFFF

TOO_LONG: Final = re.compile(r"(?:input|request) \((\d+) tokens\)")
"""How the server begins to say that a text does not fit, which it does in several ways."""

FINISHES: Final[dict[str, Finish]] = {"stop": "stop", "length": "length"}


class _Text(Struct, frozen=True):
    content: str | None = None
    reasoning_content: str | None = None


class _Choice(Struct, frozen=True):
    delta: _Text = _Text()
    finish_reason: str | None = None


class _Progress(Struct, frozen=True):
    total: int
    cache: int = 0


class _Timings(Struct, frozen=True):
    cache_n: int = 0
    prompt_n: int = 0
    predicted_n: int = 0


class _Error(Struct, frozen=True):
    message: str = ""
    type: str = ""
    n_prompt_tokens: int | None = None
    n_ctx: int | None = None


class _Chunk(Struct, frozen=True):
    """What the server's stream says, as far as it is used here."""

    choices: list[_Choice] = []
    prompt_progress: _Progress | None = None
    timings: _Timings | None = None
    error: _Error | None = None


class _Embedding(Struct, frozen=True):
    embedding: list[float] = []


class _Count(Struct, frozen=True):
    prompt_tokens: int = 0


class _Vectors(Struct, frozen=True):
    """What the server says to a request for vectors."""

    data: list[_Embedding] = []
    usage: _Count = _Count()
    error: _Error | None = None


_decode: Final = Decoder(_Chunk).decode
_decode_vectors: Final = Decoder(_Vectors).decode
_encode: Final = Encoder().encode


class Xllamacpp:
    """The installed package."""

    name: RuntimeName = "xllamacpp"

    def __init__(self) -> None:
        self._native: Any = importlib.import_module("xllamacpp")

    def load(self, request: Load) -> "Model":
        """Load a model; what llama.cpp says of a failure is on stderr."""
        try:
            return Model(self._native.Server(self._parameters(request)), request.context_size)
        except (RuntimeError, ValueError) as error:
            raise SidecarError("model_file_invalid", "The model could not be loaded.") from error

    def _parameters(self, request: Load) -> Any:
        parameters = self._native.CommonParams()
        parameters.model.path = request.path
        parameters.n_ctx = request.context_size
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = request.threads
        parameters.verbosity = ERRORS_ONLY
        parameters.cache_ram_mib = PROMPT_CACHE_MIB
        self._place(parameters, request.gpu_layers)
        if request.pooling is not None:
            self._pool(parameters, request.pooling)
            parameters.n_batch = parameters.n_ubatch = whole_batch(request) or parameters.n_batch
        _lock(parameters)
        return parameters

    def _pool(self, parameters: Any, pooling: Pooling) -> None:
        parameters.embedding = True
        parameters.pooling_type = self._native.llama_pooling_type(POOLINGS[pooling])

    def _place(self, parameters: Any, gpu_layers: int | None) -> None:
        """Fitting the model to a GPU reads it twice, so it is done only where there is one and nobody chose."""
        cpu = self._native.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
        has_gpu = any(device["type"] != cpu for device in self._native.get_device_info())
        parameters.n_batch = parameters.n_ubatch = GPU_BATCH if has_gpu else BATCH
        parameters.fit_params = has_gpu and gpu_layers is None
        if gpu_layers is not None:
            parameters.n_gpu_layers = gpu_layers


def _lock(parameters: Any) -> None:
    """Give nobody a key to the loopback port on which the server always listens."""
    parameters.hostnames = ["127.0.0.1"]
    parameters.api_keys = [secrets.token_hex(32)]
    parameters.cors_origins = ""
    parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = False
    parameters.n_threads_http = 1


class Model:
    """A loaded model."""

    name: RuntimeName = "xllamacpp"

    def __init__(self, server: Any, context_size: int) -> None:
        self._server = server
        self.context_size = context_size

    def submit(self, chat: Chat, answer: Answer) -> Done:
        """Answer one chat; tokens arrive as the server calls back."""
        stream = _Stream(answer)
        try:
            self._server.handle_chat_completions(_encode(_body(chat)).decode(), stream.take)
        except (RuntimeError, ValueError) as error:
            raise _refusal(str(error)) from None
        return stream.done(chat.id)

    def embed(self, command: Embed, answer: Answer) -> Done:
        """Make vectors one by one: between two of them is the only place to stop."""
        tokens = 0
        for text in command.texts:
            if answer.cancelled:
                return Done(command.id, "cancelled", tokens)
            reply = self._embed(text)
            tokens += reply.usage.prompt_tokens
            answer.give(normalised(reply.data[0].embedding if reply.data else []))
        return Done(command.id, "stop", tokens)

    def _embed(self, text: str) -> _Vectors:
        try:
            reply = _decode_vectors(self._server.handle_embeddings(_encode({"input": [text]}).decode()))
        except (RuntimeError, ValueError) as error:
            raise _refusal(str(error)) from None
        if reply.error is not None:
            raise _no_vector(reply.error, self.context_size)
        return reply


class _Stream:
    """One answer as it arrives. A callback may not raise, so an error waits for `done`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._finish: Finish | None = None
        self._error: _Error | None = None
        self._prompt: _Progress | None = None
        self._timings: _Timings | None = None

    def take(self, line: str) -> bool:
        """Take the next chunk; returns whether the server shall stop."""
        chunk = _decode(line)
        self._error = self._error or chunk.error
        self._prompt = chunk.prompt_progress or self._prompt
        self._timings = chunk.timings or self._timings
        for choice in chunk.choices:
            self._add(choice)
        return self._answer.cancelled

    def _add(self, choice: _Choice) -> None:
        if choice.delta.reasoning_content:
            self._answer.add("reasoning", choice.delta.reasoning_content)
        if choice.delta.content:
            self._answer.add("text", choice.delta.content)
        if choice.finish_reason is not None:
            self._finish = FINISHES.get(choice.finish_reason, "stop")

    def done(self, chat_id: int) -> Done:
        """Return how the answer ended; raises `SidecarError` when it did not come about."""
        if self._error is not None:
            raise _failure(self._error)
        if self._finish is None and not self._answer.cancelled:
            raise SidecarError("server_error", "The local engine ended the answer without saying why.")
        timings = self._timings or _Timings(cache_n=self._prompt.cache if self._prompt else 0)
        return Done(
            chat_id,
            self._finish or "cancelled",
            prompt_tokens=self._prompt.total if self._prompt else timings.cache_n + timings.prompt_n,
            completion_tokens=timings.predicted_n,
            cached_tokens=timings.cache_n,
        )


def _body(chat: Chat) -> dict[str, Any]:
    sampling = chat.sampling
    wanted = {
        "messages": chat.messages,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": RANDOM_SEED if sampling.seed is None else sampling.seed,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "max_tokens": chat.max_tokens,
        "stop": chat.stop or None,
        "response_format": _format(chat.schema),
    }
    # Without progress there is no call back, and so no way to cancel, until the whole prompt is evaluated.
    wanted |= {"stream": True, "return_progress": True, "timings_per_token": True}
    return {name: value for name, value in wanted.items() if value is not None}


def _format(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _no_vector(error: _Error, context_size: int) -> SidecarError:
    found = TOO_LONG.match(error.message)
    if found is None:
        return _refusal(error.message)
    tokens = int(found[1])
    # Some models need the last place for themselves.
    return text_too_long(tokens, min(context_size, tokens - 1))


def _failure(error: _Error) -> SidecarError:
    if error.type == "exceed_context_size_error":
        return context_exceeded(error.n_prompt_tokens or 0, error.n_ctx or 0)
    return _refusal(error.message)


def _refusal(reason: str) -> SidecarError:
    if "schema" in reason.lower() or "grammar" in reason.lower():
        message = "The local engine cannot make answers follow this JSON schema."
        return SidecarError("unsupported_feature", message, hint=reason[-300:], param="response_format")
    return SidecarError("request_rejected", "The local engine refused the request.", hint=reason[:300])
