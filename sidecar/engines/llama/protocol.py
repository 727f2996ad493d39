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
    parallel: int = 1
    """How many conversations may share the context at once."""


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
    """A question to the loaded model; answered with `Delta`s and a `Done`. The answer is to match `schema`.

    `template_options` are variables for the model's chat template, beside the messages.
    """

    id: int
    messages: list[Turn]
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: list[str] = []
    schema: dict[str, Any] | None = None
    template_options: dict[str, bool] = {}


class Embed(Struct, frozen=True, tag="embed"):
    """Texts for the loaded model; answered with a `Vector` each, in their order, and a `Done`."""

    id: int
    texts: list[str]


class Count(Struct, frozen=True, tag="count", omit_defaults=True):
    """How many tokens a conversation has, as the model's template writes it; answered with `Counted`."""

    id: int
    messages: list[Turn]
    template_options: dict[str, bool] = {}


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
    parallel: int = 1
    """How many commands are carried out at once; more wait for their turn."""


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

    `cached_tokens` of the prompt were not evaluated again. `prompt_ms` is how long the others took, `generation_ms` how
    long the answer did from its first token on.
    """

    id: int
    finish: Finish
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_ms: int | None = None
    generation_ms: int | None = None


class Counted(Struct, frozen=True, tag="counted"):
    """How many tokens a conversation has."""

    id: int
    tokens: int


class Failed(Struct, frozen=True, tag="failed", omit_defaults=True):
    """The command could not be carried out."""

    id: int
    error: ErrorType
    message: str
    hint: str | None = None
    param: str | None = None


Command = Probe | Load | Chat | Embed | Count | Cancel
Report = Ready | Loaded | Delta | Vector | Done | Counted | Failed
Outcome = Done | Counted | Failed
"""What ends a chat, vectors or a count."""

MORE: Final = (Delta, Vector)
"""The reports that others of the same command follow."""

encode: Final = Encoder().encode
decode_command: Final = Decoder(Command).decode
decode_report: Final = Decoder(Report).decode
