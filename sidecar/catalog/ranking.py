"""Which models meet a demand, and in which order they are recommended."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from sidecar.catalog.observations import Pace
from sidecar.schema.models import Capability, ModelInfo, Preference, Recommendation, RecommendParams

CHEAP: Final = Decimal(1)
"""US dollars per million tokens that are worth half the points for the price."""

QUICK_MS: Final = 1000
"""The time to the first token that is worth half the points for latency."""

WIDE: Final = 128_000
"""The context that is worth half the points for the context."""

INPUT_SHARE: Final = Decimal("0.75")
"""How much of a usual request is question; the rest is answer."""

OTHER_TASKS: Final[frozenset[Capability]] = frozenset(
    {
        "embeddings",
        "reranking",
        "moderation",
        "transcription",
        "speech",
        "image_generation",
        "video_generation",
    }
)
"""What models do that do not chat; they are recommended only where one of these is asked for."""

DEPRECATED: Final = 0.5
TOO_LARGE: Final = 0.1
"""What the points are multiplied by for a model that is about to end, and for one that memory has no room for."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A model that a provider offers; `fits` is None where memory does not matter."""

    info: ModelInfo
    key: bool
    local: bool
    fits: bool | None = None
    pace: Pace = Pace()


class _Points(Struct, frozen=True):
    """0 to 1, and what for."""

    points: float
    reason: str


def recommended(candidates: Iterable[Candidate], wishes: RecommendParams) -> list[Recommendation]:
    """Return the models that meet all demands, best first, as many as are wanted."""
    found = [_recommendation(candidate, wishes.prefer) for candidate in candidates if _meets(candidate, wishes)]
    # Stable: of equals, the provider that was asked first, and its own order.
    found.sort(key=lambda one: (-one.score, -(one.context_length or 0)))
    return found[: wishes.limit]


def _meets(candidate: Candidate, wishes: RecommendParams) -> bool:
    info = candidate.info
    price = info.price
    return (
        info.lifecycle != "retired"
        and (candidate.local or not wishes.local_only)
        and set(wishes.capabilities) <= set(info.capabilities or ())
        and (_chats(info) or not OTHER_TASKS.isdisjoint(wishes.capabilities))
        and (wishes.min_context is None or (info.context_length or 0) >= wishes.min_context)
        and _affordable(price.input if price else None, wishes.max_input_price)
        and _affordable(price.output if price else None, wishes.max_output_price)
    )


def _chats(info: ModelInfo) -> bool:
    if info.output_modalities is not None and "text" not in info.output_modalities:
        return False
    return not info.capabilities or not OTHER_TASKS.issuperset(info.capabilities)


def _affordable(price: str | None, limit: float | None) -> bool:
    if limit is None:
        return True
    # By way of its decimal form: 0.3 as a float is less than 0.3.
    return price is not None and Decimal(price) <= Decimal(str(limit))


def _recommendation(candidate: Candidate, prefer: Preference) -> Recommendation:
    parts = [(name, weight, CRITERIA[name](candidate)) for name, weight in WEIGHTS[prefer].items()]
    score = sum(weight * part.points for _, weight, part in parts)
    reasons = [f"{name} {part.points:.2f} (weight {weight}): {part.reason}" for name, weight, part in parts]
    for factor, reason in _objections(candidate):
        score *= factor
        reasons.append(f"times {factor}: {reason}")
    return Recommendation(
        **asdict(candidate.info),
        key=candidate.key,
        local=candidate.local,
        fits=candidate.fits,
        **asdict(candidate.pace),
        score=round(score, 4),
        reasons=reasons,
    )


def _price(candidate: Candidate) -> _Points:
    price = candidate.info.price
    if price is None or price.input is None or price.output is None:
        return _Points(0, "the price is unknown")
    blend = Decimal(price.input) * INPUT_SHARE + Decimal(price.output) * (1 - INPUT_SHARE)
    return _Points(float(CHEAP / (CHEAP + blend)), f"${price.input} in, ${price.output} out per million tokens")


def _latency(candidate: Candidate) -> _Points:
    first = candidate.pace.first_token_ms
    if first is None:
        return _Points(0, "not used in this session")
    return _Points(QUICK_MS / (QUICK_MS + first), f"first token after {first} ms in this session")


def _context(candidate: Candidate) -> _Points:
    length = candidate.info.context_length
    if length is None:
        return _Points(0, "the context is unknown")
    return _Points(length / (length + WIDE), f"{length} tokens of context")


CRITERIA: Final[dict[str, Callable[[Candidate], _Points]]] = {
    "price": _price,
    "latency": _latency,
    "context": _context,
}

WEIGHTS: Final[dict[Preference, dict[str, float]]] = {
    "price": {"price": 1},
    "latency": {"latency": 1},
    "context": {"context": 1},
    "balanced": {"price": 0.5, "latency": 0.25, "context": 0.25},
}


def _objections(candidate: Candidate) -> Iterable[tuple[float, str]]:
    info = candidate.info
    if info.lifecycle == "deprecated":
        day = f" and ends on {info.shut_down}" if info.shut_down else ""
        heir = f"; {info.successor} succeeds it" if info.successor else ""
        yield DEPRECATED, f"deprecated{day}{heir}"
    if candidate.fits is False:
        yield TOO_LARGE, "larger than the memory has room for"
