"""What the protocol's values are called in front of people."""

import re
from decimal import Decimal
from typing import Final

from msgspec import UNSET

from sidecar.schema.chat import ChatResult, Reason
from sidecar.schema.credentials import KeychainState
from sidecar.schema.errors import ErrorObject
from sidecar.schema.events import State, Status
from sidecar.schema.ledger import StorageState
from sidecar.schema.usage import Cost, Timing, Usage

STATES: Final[dict[State, str]] = {
    "connecting": "connecting",
    "waiting_first_token": "waiting for the first token",
    "thinking": "thinking",
    "loading_model": "loading model",
    "queued": "waiting for a free slot",
    "rate_limited": "waiting for the rate limit",
    "retrying": "that failed; trying again",
    "falling_back": "that failed; asking another model",
    "stalled": "no sign of life",
}

ENDINGS: Final[dict[Reason, str]] = {
    "length": "The answer was cut short: it reached the limit of tokens.",
    "content_filter": "The answer was cut short by the provider's content filter.",
    "tool_calls": "The model asks for tools, which this client has none of.",
    "cancelled": "Cancelled.",
    "error": "The answer was cut short by the provider.",
}

HINTS: Final = {
    "credential_not_found": "Save one with `llm-sidecar keys set`, or put it into the provider's environment variable, "
    "such as OPENAI_API_KEY.",
}
"""What to do here, where the sidecar's own hint names a method that only a host can call."""

COMMANDS: Final = (
    (re.compile(r'credentials\.save for "(\S+)" and base_url "(\S+)"'), r"`llm-sidecar keys set \1 --base-url \2`"),
    (re.compile(r"\bmodels\.(list|download|delete)\b"), r"`llm-sidecar models \1`"),
)
"""Commands that do what the methods do which hints speak of."""

KEYCHAIN_PROBLEMS: Final = {
    "locked": "The keychain is locked",
    "unavailable": "This system has no working keychain",
    "denied": "The keychain refused access",
}

MONEY_PLACES: Final = 4
"""Decimals of dollars that are shown: answers cost fractions of cents."""


def waiting(status: Status) -> tuple[str, str]:
    """Return what is awaited, and how far it has come."""
    return STATES[status.state], _detail(status)


def _detail(status: Status) -> str:
    if status.progress is not None:
        return f" {status.progress:.0%}".replace("%", " %")
    if status.attempt is not None and status.ms is not None:
        return f" in {status.ms / 1000:.1f} s (attempt {status.attempt})"
    if status.to is not None:
        return f" ({status.to.provider}/{status.to.model})"
    if status.wait_ms is not None:
        return f" for about {status.wait_ms / 1000:.0f} s"
    return f" for {status.ms / 1000:.0f} s" if status.ms is not None else ""


def failure(error: ErrorObject) -> list[str]:
    """Return the lines that tell a failure and its cure."""
    lines = [f"error: {error.message}"]
    if error.data.retry_after_ms is not None:
        lines.append(f"retry: in {error.data.retry_after_ms / 1000:.0f} s")
    if hint := HINTS.get(error.data.type, error.data.hint):
        lines.append(f"hint: {_in_commands(hint)}")
    return lines


def _in_commands(hint: str) -> str:
    for method, command in COMMANDS:
        hint = method.sub(command, hint)
    return hint


def loading(timing: Timing) -> list[str]:
    """Return the line that tells how long the answer waited for its model to be loaded, if it did."""
    return [f"model loaded in {timing.load_ms / 1000:.2f} s"] if timing.load_ms else []


def summary(result: ChatResult) -> str:
    """Return tokens, speed, time and cost in a line, as far as they are known."""
    known = [*_tokens(result.usage), *_speed(result), *_times(result), *_price(result.cost)]
    return ", ".join(known)


def _tokens(usage: Usage) -> list[str]:
    about = "about " if usage.source == "estimated" else ""
    counts = ((usage.input_tokens, "in"), (usage.output_tokens, "out"))
    known = [f"{about}{number} tokens {direction}" for number, direction in counts if number is not None]
    return [*known, f"{usage.reasoning_tokens} of them reasoning"] if usage.reasoning_tokens else known


def _speed(result: ChatResult) -> list[str]:
    """Tokens after the first one, over the time after the first one."""
    tokens, ms = result.usage.output_tokens or 0, _writing_ms(result.timing)
    if tokens < 2 or ms <= 0:  # noqa: PLR2004 - needs an interval
        return []
    return [f"{(tokens - 1) * 1000 / ms:.1f} tokens/s"]


def _writing_ms(timing: Timing) -> int:
    """Return how long the answer took from its first token on: as the runtime measured it, where it did."""
    if timing.generation_ms is not UNSET:
        return timing.generation_ms
    return 0 if timing.first_token_ms is None else timing.total_ms - timing.first_token_ms


def _times(result: ChatResult) -> list[str]:
    first_ms = result.timing.first_token_ms
    first = [] if first_ms is None else [f"first token {first_ms / 1000:.2f} s"]
    return [*first, f"total {result.timing.total_ms / 1000:.2f} s"]


def _price(cost: Cost) -> list[str]:
    if cost.amount is None or cost.source == "free":
        return []
    return [f"cost {'about ' if cost.estimated else ''}{cost.amount} {cost.currency}"]


def storage(state: StorageState) -> list[str]:
    """Return the lines that tell why nothing is on disk and what to do; none where all is well."""
    lines = [("warning", state.problem), ("hint", state.hint)]
    return [f"{name}: {text}" for name, text in lines if text is not None]


def keychain(found: KeychainState) -> list[str]:
    """Return the lines that tell what keeps the keychain from being used and what to do; none where it works."""
    if found.state not in KEYCHAIN_PROBLEMS:
        return []
    where = f" ({found.backend})" if found.backend else ""
    hint = [f"hint: {found.hint}"] if found.hint else []
    return [f"warning: {KEYCHAIN_PROBLEMS[found.state]}{where}.", *hint]


def cost(known: Cost, unpriced: int) -> str:
    """Return what attempts cost, and how many of them cost something unknown."""
    if known.amount is None:
        return "unknown"
    about = "about " if known.estimated else ""
    return f"{about}{money(known.amount)}" + (f" + {unpriced} unknown" if unpriced else "")


def money(*amounts: str) -> str:
    """Return a sum of US dollars, rounded."""
    total = sum(map(Decimal, amounts), Decimal())
    least = Decimal(1).scaleb(-MONEY_PLACES)
    if not total:
        return "$0"
    if abs(total) < least:
        return f"{'-' if total < 0 else ''}<${least}"
    return f"{'-' if total < 0 else ''}${abs(total):,.{MONEY_PLACES}f}"
