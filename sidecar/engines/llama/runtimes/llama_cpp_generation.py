"""One answer in the making: tokens become text, until it ends."""

import time
from typing import Final

from sidecar.engines.llama.protocol import Chat, Done, Finish, Outcome
from sidecar.engines.llama.runtimes import Answer, context_exceeded
from sidecar.engines.llama.runtimes.llama_cpp_model import Context
from sidecar.engines.llama.runtimes.llama_cpp_sampling import Sampler
from sidecar.engines.llama.runtimes.text import TextStream

MS: Final = 1000
THINK: Final = "<think>"
"""What some templates begin the answer with; the thoughts that follow could not be told from words without it."""
TAIL: Final = 8
"""How many tokens such a mark has at most."""


class Generation:
    """An answer and what it takes to make it. `tokens` are those of the prompt and, behind them, the answer's.

    Raises `SidecarError` for a prompt that does not fit the context, or a schema that cannot be followed.
    """

    def __init__(self, context: Context, chat: Chat, prompt: list[int], answer: Answer) -> None:
        if len(prompt) >= context.size:
            raise context_exceeded(len(prompt), context.size)
        self.answer = answer
        self.tokens = prompt
        self.begun = 0.0
        self.id = chat.id
        self._prompt = len(prompt)
        self._room = min(context.size - len(prompt), chat.max_tokens or context.size)
        self._context = context
        self._sampler = Sampler(context.weights, chat)
        self._text = TextStream(chat.stop)
        self._cached = 0
        self._spoke = 0.0
        self._opening = THINK if chat.schema is None and self._ends(THINK) else ""

    def _ends(self, mark: str) -> bool:
        """Tell whether the prompt ends with a mark, and perhaps a blank line."""
        tail = b"".join(self._context.weights.piece(token) for token in self.tokens[-TAIL:])
        return tail.rstrip().endswith(mark.encode())

    def begin(self, cached: int) -> None:
        """Say that so many of the tokens are evaluated already, and the others are about to be."""
        if not self.begun:
            self.begun, self._cached = time.monotonic(), cached

    def take(self, index: int) -> Finish | None:
        """Add the token that follows `index` in the batch just evaluated; returns how the answer ended, if it did."""
        token = self._sampler.choose(self._context, index)
        self.tokens.append(token)
        if not self._spoke:
            self._spoke = time.monotonic()
            self._show(self._opening)
        if self._context.weights.ends(token):
            return "stop"
        self._show(self._text.feed(self._context.weights.piece(token)))
        if self._text.stopped:
            return "stop"
        return "length" if len(self.tokens) - self._prompt >= self._room else None

    def done(self, finish: Finish) -> Done:
        """Show what was held back, unless nobody waits for it, and return how it went."""
        if finish != "cancelled":
            self._show(self._text.flush())
        now = time.monotonic()
        spoke = self._spoke or now
        return Done(
            self.id,
            finish,
            prompt_tokens=self._prompt if self.begun else 0,
            completion_tokens=len(self.tokens) - self._prompt,
            cached_tokens=self._cached,
            prompt_ms=round((spoke - (self.begun or now)) * MS),
            generation_ms=round((now - spoke) * MS),
        )

    def end(self, result: Outcome) -> None:
        """Say how it ended, and give back what llama.cpp holds for it."""
        self._sampler.close()
        self.answer.end(result)

    def _show(self, text: str) -> None:
        if text:
            self.answer.add("text", text)
