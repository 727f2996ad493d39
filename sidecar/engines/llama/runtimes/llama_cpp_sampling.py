"""How the next token is chosen."""

import ctypes
import math
import re
import secrets
from collections.abc import Iterator
from typing import Any, Final

from msgspec.json import Encoder

from sidecar.engines.llama.protocol import Chat, Sampling
from sidecar.engines.llama.runtimes.llama_cpp_model import Context, Weights
from sidecar.schema.errors import SidecarError

TEMPERATURE: Final = 0.8
TOP_K: Final = 40
TOP_P: Final = 0.95
MIN_P: Final = 0.05
LEAST: Final = 1
"""So many tokens are left to choose from, at least."""

LAST_TOKENS: Final = 64
"""Those that penalties look at."""

NO_PENALTY: Final = 1.0

_encode: Final = Encoder().encode
_ESCAPES: Final = re.compile(r"\\\\|\\u(?P<high>[dD][89abAB]..)\\u(?P<low>[dD][c-fC-F]..)")


class Sampler:
    """Chooses the tokens of one answer. Raises `SidecarError("unsupported_feature")` for a schema it cannot follow."""

    def __init__(self, weights: Weights, chat: Chat) -> None:
        self._native = weights.native
        # Made first: only what is in a chain is freed with it.
        self._grammar = None if chat.schema is None else _grammar(weights, chat.schema)
        self._free = None if self._grammar and _penalises(chat.sampling) else _chain(weights, chat.sampling)
        self._bound = self._grammar and _chain(weights, chat.sampling, self._grammar)

    def choose(self, context: Context, index: int) -> int:
        """Return the token that follows the one at `index` in the batch just evaluated.

        Holding all tokens of a vocabulary against a grammar takes long, so one is chosen first, which mostly fits.
        A token that was chosen and does not fit must not count as said, so where such counts this is left out.
        """
        if self._free is not None:
            token: int = self._native.llama_sampler_sample(self._free, context.native, index)
            if self._grammar is None:
                return token
            if self._fits(token):
                self._native.llama_sampler_accept(self._grammar, token)
                return token
        bound: int = self._native.llama_sampler_sample(self._bound, context.native, index)
        return bound

    def _fits(self, token: int) -> bool:
        data = self._native.llama_token_data(token, 0.0, 0.0)
        alone = self._native.llama_token_data_array(ctypes.pointer(data), 1, -1, False)
        self._native.llama_sampler_apply(self._grammar, ctypes.byref(alone))
        return math.isfinite(data.logit)

    def close(self) -> None:
        for chain in filter(None, (self._free, self._bound)):
            self._native.llama_sampler_free(chain)


def _penalises(sampling: Sampling) -> bool:
    return bool(sampling.frequency_penalty or sampling.presence_penalty)


def _chain(weights: Weights, sampling: Sampling, *first: Any) -> Any:
    native = weights.native
    chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
    for sampler in (*_penalties(weights, sampling), *first, *_choice(native, sampling)):
        native.llama_sampler_chain_add(chain, sampler)
    return chain


def _penalties(weights: Weights, sampling: Sampling) -> Iterator[Any]:
    if _penalises(sampling):
        frequency, presence = sampling.frequency_penalty or 0.0, sampling.presence_penalty or 0.0
        size = weights.native.llama_vocab_n_tokens(weights.vocab)
        yield weights.native.llama_sampler_init_penalties(size, LAST_TOKENS, NO_PENALTY, frequency, presence)


def _choice(native: Any, sampling: Sampling) -> Iterator[Any]:
    temperature = _or(sampling.temperature, TEMPERATURE)
    if temperature <= 0:
        yield native.llama_sampler_init_greedy()
        return
    yield native.llama_sampler_init_top_k(_or(sampling.top_k, TOP_K))
    yield native.llama_sampler_init_top_p(_or(sampling.top_p, TOP_P), LEAST)
    yield native.llama_sampler_init_min_p(MIN_P, LEAST)
    yield native.llama_sampler_init_temp(temperature)
    yield native.llama_sampler_init_dist(secrets.randbits(32) if sampling.seed is None else sampling.seed)


def _or(wanted: float | None, default: float) -> Any:
    return default if wanted is None else wanted


def _grammar(weights: Weights, schema: dict[str, Any]) -> Any:
    """Translate a schema; where llama.cpp cannot parse the grammar it returns nothing, and would crash on using it."""
    native = weights.native
    try:
        text = _join_surrogates(native.llama_grammar.json_schema_to_gbnf(_encode(schema).decode()))
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _unsupported_schema(str(error)) from None
    grammar = native.llama_sampler_init_grammar(weights.vocab, text.encode(), b"root")
    if not grammar:
        raise _unsupported_schema("The grammar made from it is too large or not valid.")
    return grammar


def _join_surrogates(grammar: str) -> str:
    """Write characters beyond U+FFFF as themselves: grammars know no pairs of escaped surrogates."""
    return _ESCAPES.sub(_join_pair, grammar)


def _join_pair(escape: re.Match[str]) -> str:
    if escape["high"] is None:
        return escape[0]
    return (bytes.fromhex(escape["high"]) + bytes.fromhex(escape["low"])).decode("utf-16-be")


def _unsupported_schema(reason: str) -> SidecarError:
    message = "The local engine cannot make answers follow this JSON schema."
    return SidecarError("unsupported_feature", message, hint=reason[:300], param="response_format")
