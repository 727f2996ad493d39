"""What the engine and a worker process say to each other: one JSON object a line, commands in, reports out."""

from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.json import Decoder, Encoder

from sidecar.schema.errors import ErrorType

RuntimeName = Literal["xllamacpp", "llama-cpp-python"]
RuntimeChoice = Literal["auto", "xllamacpp", "llama-cpp-python"]
Kind = Literal["text", "reasoning"]
Finish = Literal["stop", "length", "cancelled"]
Pooling = Literal["mean", "cls", "last"]


class Probe(Struct, frozen=True, tag="probe"):
    """Import the runtime, load nothing; answered with `Ready`."""

    id: int
    runtime: RuntimeChoice


class Load(Struct, frozen=True, tag="load"):
    """Load a model; answered with `Loaded`. Sent once in the life of a worker.

    With `pooling`, which is how a text's vector comes from those of its tokens, it takes `Embed`, without it `Chat`.
    """

    id: int
    runtime: RuntimeChoice
    path: str
    context_size: int
    threads: int
    gpu_layers: int | None = None
    pooling: Pooling | None = None


class Turn(Struct, frozen=True):
    """One turn of a conversation, as a chat template takes it."""

    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(Struct, frozen=True, omit_defaults=True):
    """How tokens are chosen; what is left out is the runtime's default."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None


class Chat(Struct, frozen=True, tag="chat", omit_defaults=True):
    """A question to the loaded model; answered with `Delta`s and a `Done`. The answer is to match `schema`."""

    id: int
    messages: list[Turn]
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: list[str] = []
    schema: dict[str, Any] | None = None


class Embed(Struct, frozen=True, tag="embed"):
    """Texts for the loaded model; answered with a `Vector` each, in their order, and a `Done`."""

    id: int
    texts: list[str]


class Cancel(Struct, frozen=True, tag="cancel"):
    """End the chat or the vectors `id`, wherever they are; their `Done` follows."""

    id: int


class Ready(Struct, frozen=True, tag="ready"):
    """The runtime can be imported."""

    id: int
    runtime: RuntimeName


class Loaded(Struct, frozen=True, tag="loaded"):
    """The model is in memory."""

    id: int
    runtime: RuntimeName
    context_size: int


class Delta(Struct, frozen=True, tag="delta"):
    """More of the answer, never cut inside a character."""

    id: int
    kind: Kind
    text: str


class Vector(Struct, frozen=True, tag="vector"):
    """The next text as a vector of length 1."""

    id: int
    values: list[float]


class Done(Struct, frozen=True, tag="done", omit_defaults=True):
    """The end of an answer or of vectors, with the runtime's own counts.

    `cached_tokens` of the prompt were not evaluated again.
    """

    id: int
    finish: Finish
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


class Failed(Struct, frozen=True, tag="failed", omit_defaults=True):
    """The command could not be carried out."""

    id: int
    error: ErrorType
    message: str
    hint: str | None = None
    param: str | None = None


Command = Probe | Load | Chat | Embed | Cancel
Report = Ready | Loaded | Delta | Vector | Done | Failed
MORE: Final = (Delta, Vector)
"""The reports that others of the same command follow."""

encode: Final = Encoder().encode
decode_command: Final = Decoder(Command).decode
decode_report: Final = Decoder(Report).decode
