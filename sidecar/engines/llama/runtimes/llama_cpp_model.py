"""A model file in memory and a context to evaluate tokens in, through llama.cpp's C functions."""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from sidecar.engines.llama.protocol import Load
from sidecar.engines.llama.runtimes import BATCH, POOLINGS, whole_batch
from sidecar.schema.errors import SidecarError

ALL_LAYERS: Final = -1
GPU_BATCH: Final = 512
PIECE_BYTES: Final = 64

OK: Final = 0
NO_ROOM: Final = 1
ABORTED: Final = 2


class Weights:
    """A model file in memory. Raises `SidecarError("model_file_invalid")`; llama.cpp says the reason on stderr."""

    def __init__(self, native: Any, request: Load) -> None:
        self.native = native
        parameters = native.llama_model_default_params()
        parameters.n_gpu_layers = ALL_LAYERS if request.gpu_layers is None else request.gpu_layers
        self.on_gpu = parameters.n_gpu_layers != 0 and native.llama_supports_gpu_offload()
        self.model = native.llama_model_load_from_file(request.path.encode(), parameters)
        if not self.model:
            raise _not_loaded()
        self.vocab = native.llama_model_get_vocab(self.model)

    @property
    def rewindable(self) -> bool:
        """Whether the last of a sequence's tokens can be forgotten: some models keep one state of all of them."""
        return not (self.native.llama_model_is_recurrent(self.model) or self.native.llama_model_is_hybrid(self.model))

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a piece of text, without any that stand around a whole one."""
        return self._tokens(text.encode(), len(text) + PIECE_BYTES, 0)

    def whole(self, text: str) -> list[int]:
        """Return the tokens of a text, with those that the model wants around it."""
        return self._tokens(text.encode(), len(text) + PIECE_BYTES, 1)

    def _tokens(self, text: bytes, size: int, around: int) -> list[int]:
        found = (self.native.llama_token * size)()
        count = self.native.llama_tokenize(self.vocab, text, len(text), found, size, bool(around), True)
        return self._tokens(text, -count, around) if count < 0 else found[:count]

    def piece(self, token: int, size: int = PIECE_BYTES) -> bytes:
        """Return the bytes of a token."""
        buffer = ctypes.create_string_buffer(size)
        length = self.native.llama_token_to_piece(self.vocab, token, buffer, size, 0, False)
        return self.piece(token, -length) if length < 0 else buffer.raw[:length]

    def ends(self, token: int) -> bool:
        """Return whether the token ends an answer."""
        return bool(self.native.llama_vocab_is_eog(self.vocab, token))


class Piece(NamedTuple):
    """The next tokens of a sequence, the first of which is at `start`."""

    sequence: int
    start: int
    tokens: list[int]


class Context:
    """Where tokens are evaluated, for up to `sequences` at once that share its room. One thread at a time may use it.

    Raises `SidecarError("model_file_invalid")` where llama.cpp makes none of this model.
    """

    def __init__(self, weights: Weights, request: Load, sequences: int) -> None:
        self.weights = weights
        self._native = native = weights.native
        self.batch = whole_batch(request) or (GPU_BATCH if weights.on_gpu else BATCH)
        self.native = native.llama_init_from_model(weights.model, self._parameters(request, sequences))
        if not self.native:
            raise _not_loaded()
        self.size: int = native.llama_n_ctx(self.native)
        self.memory = native.llama_get_memory(self.native)
        self._batch = _Batch(native, self.batch, [int(request.pooling is not None)])
        self._shall_abort: Callable[[], bool] | None = None
        self._never = native.ggml_abort_callback(0)
        self._abort = native.ggml_abort_callback(self._asked)

    def _parameters(self, request: Load, sequences: int) -> Any:
        parameters = self._native.llama_context_default_params()
        parameters.n_ctx = request.context_size
        parameters.n_batch = parameters.n_ubatch = self.batch
        parameters.n_threads = parameters.n_threads_batch = request.threads
        parameters.n_seq_max = sequences
        parameters.n_outputs_max = sequences  # memory is set aside for so many times the vocabulary
        parameters.kv_unified = True
        if request.pooling is not None:
            parameters.embeddings, parameters.pooling_type = True, POOLINGS[request.pooling]
            parameters.n_outputs_max = self.batch
        return parameters

    def _asked(self, _data: object) -> bool:
        return self._shall_abort is not None and self._shall_abort()

    def decode(self, pieces: Sequence[Piece], shall_abort: Callable[[], bool] | None = None) -> int:
        """Evaluate pieces of different sequences together; returns OK, or else what llama.cpp says.

        On anything but OK nothing is evaluated. `shall_abort` is asked hundreds of times, and heard on a CPU alone.
        """
        self._shall_abort = shall_abort
        asked = self._never if shall_abort is None else self._abort
        self._native.llama_set_abort_callback(self.native, asked, None)
        code: int = self._native.llama_decode(self.native, self._batch.of(pieces))
        return code

    def keep(self, sequence: int, tokens: int) -> bool:
        """Forget what a sequence has behind its first `tokens`; returns whether the model can do that."""
        return bool(self._native.llama_memory_seq_rm(self.memory, sequence, tokens, -1))

    def share(self, source: int, target: int, tokens: int) -> None:
        """Have an empty sequence begin with the first `tokens` of another one."""
        self._native.llama_memory_seq_cp(self.memory, source, target, 0, tokens)


class _Batch:
    """Tokens as llama.cpp takes them. What it makes of the last one of each piece is wanted; `others` is 1 or 0."""

    def __init__(self, native: Any, size: int, others: list[int]) -> None:
        self._native = native
        self._others = others
        self._tokens = (ctypes.c_int32 * size)()
        self._positions = (ctypes.c_int32 * size)()
        self._sequences = (ctypes.c_int32 * size)()
        self._counts = (ctypes.c_int32 * size)(*[1] * size)
        self._wanted = (ctypes.c_int8 * size)()
        step = ctypes.sizeof(ctypes.c_int32)
        one = ctypes.POINTER(ctypes.c_int32)
        first = ctypes.addressof(self._sequences)
        self._each = (one * size)(*[ctypes.cast(first + step * at, one) for at in range(size)])

    def of(self, pieces: Sequence[Piece]) -> Any:
        """Return the pieces as a batch, which is good until the next one."""
        end = 0
        for sequence, start, tokens in pieces:
            begin, end = end, end + len(tokens)
            self._tokens[begin:end] = [*tokens]
            self._positions[begin:end] = [*range(start, start + len(tokens))]
            self._sequences[begin:end] = [sequence] * len(tokens)
            self._wanted[begin:end] = [*self._others * (len(tokens) - 1), 1]
        return self._native.llama_batch(
            n_tokens=end,
            token=self._tokens,
            pos=self._positions,
            n_seq_id=self._counts,
            seq_id=self._each,
            logits=self._wanted,
        )


def _not_loaded() -> SidecarError:
    return SidecarError("model_file_invalid", "The model could not be loaded.")
