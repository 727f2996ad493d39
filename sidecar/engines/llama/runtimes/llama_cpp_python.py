"""llama.cpp through its Python bindings. https://github.com/abetlen/llama-cpp-python"""

import contextlib
import ctypes
import importlib
import io
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from msgspec.json import Encoder

from sidecar.engines.llama.protocol import Chat, Done, Embed, Finish, Load, RuntimeName, Sampling
from sidecar.engines.llama.runtimes import (
    BATCH,
    POOLINGS,
    Answer,
    context_exceeded,
    whole_batch,
)
from sidecar.engines.llama.runtimes.llama_cpp_template import Template
from sidecar.engines.llama.runtimes.llama_cpp_vectors import Texts
from sidecar.engines.llama.runtimes.text import TextStream
from sidecar.schema.errors import SidecarError

STDERR: Final = 2
LEVEL_WARN: Final = 3
LEVEL_CONTINUED: Final = 5
PIECE_BYTES: Final = 64
ALL_LAYERS: Final = -1

_encode: Final = Encoder().encode
_ESCAPES: Final = re.compile(r"\\\\|\\u(?P<high>[dD][89abAB]..)\\u(?P<low>[dD][c-fC-F]..)")


class LlamaCppPython:
    """The installed package."""

    name: RuntimeName = "llama-cpp-python"

    def __init__(self) -> None:
        self.native: Any = importlib.import_module("llama_cpp")
        self._log = self.native.llama_log_callback(_log_filter())
        self.native.llama_log_set(self._log, ctypes.c_void_p(0))

    def load(self, request: Load) -> "Model":
        """Load a model; what llama.cpp says of a failure is on stderr."""
        layers = request.gpu_layers
        if layers is None:
            layers = ALL_LAYERS if self.native.llama_supports_gpu_offload() else 0
        try:
            return Model(self, self._open(request, layers), whole_batch(request))
        except (ValueError, RuntimeError) as error:
            raise SidecarError("model_file_invalid", "The model could not be loaded.") from error

    def _open(self, request: Load, layers: int) -> Any:
        batch = whole_batch(request) or BATCH  # `Llama` allocates this times the vocabulary, in floats
        pooling = {} if request.pooling is None else {"embedding": True, "pooling_type": POOLINGS[request.pooling]}
        # `verbose=False` would point descriptors 1 and 2 at /dev/null while loading; verbose prints, through Python.
        with contextlib.redirect_stderr(io.StringIO()):
            llama = self.native.Llama(
                request.path,
                n_ctx=request.context_size,
                n_batch=batch,
                n_ubatch=batch,
                n_threads=request.threads,
                n_threads_batch=request.threads,
                n_gpu_layers=layers,
                verbose=True,
                **pooling,
            )
        llama.verbose = False
        return llama


def _log_filter() -> Callable[[int, bytes, object], None]:
    """Return a log callback that lets warnings and errors through to stderr."""
    serious = False

    def write(level: int, text: bytes, _data: object) -> None:
        nonlocal serious
        if level != LEVEL_CONTINUED:
            serious = level >= LEVEL_WARN
        if serious:
            os.write(STDERR, text)

    return write


class _CancelledError(Exception):
    """The answer was cancelled between two batches of its prompt."""


class Model:
    """A loaded model. Only the thread that made it may use it."""

    name: RuntimeName = "llama-cpp-python"

    def __init__(self, package: LlamaCppPython, llama: Any, longest_text: int | None) -> None:
        self._package = package  # llama.cpp holds a pointer to its log callback
        self._native = native = package.native
        self._llama = llama
        self._vocab = native.llama_model_get_vocab(llama.model)
        self._template = Template(native, llama)
        self._answer: Answer | None = None
        self._in_prompt = False
        self._fresh: int | None = None
        self._evaluate_batch = llama.eval
        llama.eval = self._evaluate
        self._abort = native.ggml_abort_callback(self._shall_abort)
        native.llama_set_abort_callback(llama.ctx, self._abort, None)
        self.context_size: int = llama.n_ctx()
        self._texts = Texts(native, llama, longest_text or self.context_size)

    def _shall_abort(self, _data: object) -> bool:
        return self._in_prompt and self._cancelled()

    def _cancelled(self) -> bool:
        return self._answer is not None and self._answer.cancelled

    def _evaluate(self, tokens: Sequence[int]) -> None:
        """Evaluate batch by batch: the abort callback works on the CPU alone, and would clear what is evaluated."""
        if self._fresh is None:
            self._fresh = len(tokens)
        for start in range(0, len(tokens), BATCH):
            if self._cancelled():
                raise _CancelledError
            self._evaluate_batch(tokens[start : start + BATCH])
        self._in_prompt = False

    def submit(self, chat: Chat, answer: Answer) -> Done:
        """Answer one chat."""
        prompt = self._template.tokens(chat.messages)
        if len(prompt) >= self.context_size:
            raise context_exceeded(len(prompt), self.context_size)
        self._answer, self._in_prompt, self._fresh = answer, True, None
        generation = _Generation(answer, TextStream(chat.stop), self._room(chat, prompt))
        finish = self._run(self._tokens(chat, prompt), generation)
        cached = 0 if self._fresh is None else len(prompt) - self._fresh
        return Done(chat.id, finish, len(prompt), generation.count, cached)

    def embed(self, command: Embed, answer: Answer) -> Done:
        """Make vectors one by one; cancelling also stops within a text, on the CPU."""
        self._answer, self._in_prompt = answer, True
        prompts, evaluated = self._texts.tokens(command.texts), 0
        for prompt in prompts:
            if self._cancelled():
                break
            try:
                answer.give(self._texts.vector(prompt))
            except RuntimeError as error:
                if self._cancelled():
                    break
                raise _failed(error) from None
            evaluated += len(prompt)
        return Done(command.id, "cancelled" if self._cancelled() else "stop", evaluated)

    def _room(self, chat: Chat, prompt: list[int]) -> int:
        room = self.context_size - len(prompt)
        return room if chat.max_tokens is None else min(room, chat.max_tokens)

    def _tokens(self, chat: Chat, prompt: list[int]) -> Iterator[int]:
        self._llama.set_seed(secrets.randbits(32) if chat.sampling.seed is None else chat.sampling.seed)
        grammar = None if chat.schema is None else self._grammar(chat.schema)
        tokens: Iterator[int] = self._llama.generate(prompt, grammar=grammar, **_options(chat.sampling))
        return tokens

    def _run(self, tokens: Iterator[int], generation: "_Generation") -> Finish:
        try:
            finish = self._follow(tokens, generation)
        except _CancelledError:
            return self._forget()
        except RuntimeError as error:
            self._forget()
            if generation.answer.cancelled:
                return "cancelled"
            raise _failed(error) from None
        if finish != "cancelled":
            generation.flush()
        return finish

    def _follow(self, tokens: Iterator[int], generation: "_Generation") -> Finish:
        for token in tokens:
            if finish := generation.take(*self._decode(token)):
                return finish
        return "length"

    def _forget(self) -> Finish:
        """Clear the evaluated tokens: an aborted batch leaves their memory in an unknown state."""
        self._llama.reset()
        self._native.llama_memory_clear(self._native.llama_get_memory(self._llama.ctx), True)
        return "cancelled"

    def _decode(self, token: int) -> tuple[bytes, bool]:
        """Return the bytes of a token and whether it ends the answer."""
        if self._native.llama_vocab_is_eog(self._vocab, token):
            return b"", True
        return self._piece(token, PIECE_BYTES), False

    def _piece(self, token: int, size: int) -> bytes:
        buffer = ctypes.create_string_buffer(size)
        length = self._native.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
        return self._piece(token, -length) if length < 0 else buffer.raw[:length]

    def _grammar(self, schema: dict[str, Any]) -> Any:
        """Translate a schema; a grammar that llama.cpp cannot parse would crash it when used, so it is tried first."""
        try:
            text = _join_surrogates(self._native.llama_grammar.json_schema_to_gbnf(_encode(schema).decode()))
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise _unsupported_schema(str(error)) from None
        sampler = self._native.llama_sampler_init_grammar(self._vocab, text.encode(), b"root")
        if not sampler:
            raise _unsupported_schema("The grammar made from it is too large or not valid.")
        self._native.llama_sampler_free(sampler)
        return self._native.LlamaGrammar.from_string(text)


def _join_surrogates(grammar: str) -> str:
    """Write characters beyond U+FFFF as themselves: grammars know no pairs of escaped surrogates."""
    return _ESCAPES.sub(_join_pair, grammar)


def _join_pair(escape: re.Match[str]) -> str:
    if escape["high"] is None:
        return escape[0]
    return (bytes.fromhex(escape["high"]) + bytes.fromhex(escape["low"])).decode("utf-16-be")


class _Generation:
    """One answer in the making."""

    def __init__(self, answer: Answer, text: TextStream, room: int) -> None:
        self.answer = answer
        self.count = 0
        self._text = text
        self._room = room

    def take(self, piece: bytes, last: bool) -> Finish | None:  # noqa: FBT001 - what `_decode` returns
        """Take a token; returns how the answer ended, if it did."""
        self.count += 1
        self._show(self._text.feed(piece))
        if last or self._text.stopped:
            return "stop"
        if self.count >= self._room:
            return "length"
        return "cancelled" if self.answer.cancelled else None

    def flush(self) -> None:
        """Show what was held back."""
        self._show(self._text.flush())

    def _show(self, text: str) -> None:
        if text:
            self.answer.add("text", text)


def _failed(error: RuntimeError) -> SidecarError:
    return SidecarError("server_error", "The local engine failed.", hint=str(error)[:300])


def _unsupported_schema(reason: str) -> SidecarError:
    message = "The local engine cannot make answers follow this JSON schema."
    return SidecarError("unsupported_feature", message, hint=reason[:300], param="response_format")


def _options(sampling: Sampling) -> dict[str, Any]:
    wanted = {
        "temp": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
    }
    return {name: value for name, value in wanted.items() if value is not None}
