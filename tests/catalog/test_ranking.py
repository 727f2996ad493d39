from typing import Any

import pytest

from sidecar.catalog.observations import Pace
from sidecar.catalog.ranking import WEIGHTS, Candidate, recommended
from sidecar.schema.models import ModelInfo, ModelPrice, Preference, Recommendation, RecommendParams

CHEAP = ModelPrice(source="table", input="0.1", output="0.3")
DEAR = ModelPrice(source="table", input="4", output="20")


def candidate(model: str, **facts: Any) -> Candidate:
    outer = {name: facts.pop(name) for name in ("fits", "pace", "local") if name in facts}
    return Candidate(info=ModelInfo(id=model, provider="p", **facts), key=True, **({"local": False} | outer))


def ids(candidates: list[Candidate], **wishes: Any) -> list[str]:
    return [found.id for found in recommended(candidates, RecommendParams(**wishes))]


MODELS = [
    candidate("bare"),
    candidate("cheap", price=CHEAP, context_length=32_000, capabilities=["tools"], pace=Pace(900)),
    candidate("dear", price=DEAR, context_length=1_000_000, capabilities=["tools", "vision"], pace=Pace(300)),
    candidate("here", price=ModelPrice(source="free", input="0", output="0"), context_length=8_000, local=True),
]


@pytest.mark.parametrize(
    ("prefer", "order"),
    [
        ("price", ["here", "cheap", "dear", "bare"]),
        ("latency", ["dear", "cheap", "here", "bare"]),
        ("context", ["dear", "cheap", "here", "bare"]),
        ("balanced", ["cheap", "here", "dear", "bare"]),
    ],
)
def test_the_order_is_what_is_preferred(prefer: Preference, order: list[str]) -> None:
    assert ids(MODELS, prefer=prefer) == order


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"capabilities": ["tools"]}, ["dear", "cheap"]),
        ({"capabilities": ["tools", "vision"]}, ["dear"]),
        ({"min_context": 32_000}, ["dear", "cheap"]),
        ({"max_input_price": 0.1}, ["cheap", "here"]),
        ({"max_input_price": 4, "max_output_price": 19.99}, ["cheap", "here"]),
        ({"max_output_price": 0}, ["here"]),
        ({"local_only": True}, ["here"]),
        ({"limit": 2}, ["dear", "cheap"]),
        ({"capabilities": ["web_search"]}, []),
    ],
)
def test_what_is_demanded_must_be_known(wishes: dict[str, Any], expected: list[str]) -> None:
    assert ids(MODELS, prefer="context", **wishes) == expected


def test_a_recommendation_explains_itself() -> None:
    (found,) = recommended([MODELS[2]], RecommendParams())
    assert found == Recommendation(
        id="dear",
        provider="p",
        price=DEAR,
        context_length=1_000_000,
        capabilities=["tools", "vision"],
        key=True,
        local=False,
        score=0.4695,
        reasons=[
            "price 0.11 (weight 0.5): $4 in, $20 out per million tokens",
            "latency 0.77 (weight 0.25): first token after 300 ms in this session",
            "context 0.89 (weight 0.25): 1000000 tokens of context",
        ],
        first_token_ms=300,
    )


def test_what_is_unknown_earns_nothing() -> None:
    (found,) = recommended([MODELS[0]], RecommendParams())
    assert (found.score, found.reasons) == (
        0,
        [
            "price 0.00 (weight 0.5): the price is unknown",
            "latency 0.00 (weight 0.25): not used in this session",
            "context 0.00 (weight 0.25): the context is unknown",
        ],
    )


def test_what_ends_soon_or_has_no_room_comes_last_and_says_why() -> None:
    ending = candidate("ending", price=CHEAP, lifecycle="deprecated", shut_down="2027-01-14", successor="heir")
    huge = candidate("huge", price=CHEAP, local=True, fits=False)
    small = candidate("small", price=CHEAP, local=True, fits=True)
    found = recommended([huge, ending, small], RecommendParams(prefer="price"))
    assert [(one.id, one.score, one.reasons[1:]) for one in found] == [
        ("small", 0.8696, []),
        ("ending", 0.4348, ["times 0.5: deprecated and ends on 2027-01-14; heir succeeds it"]),
        ("huge", 0.087, ["times 0.1: larger than the memory has room for"]),
    ]


def test_what_was_shut_down_is_never_recommended() -> None:
    assert ids([candidate("gone", lifecycle="retired")]) == []


def test_models_that_do_not_chat_are_recommended_for_their_task_alone() -> None:
    models = [candidate("vectors", capabilities=["embeddings"]), candidate("chat", capabilities=["tools"])]
    assert ids(models) == ["chat"]
    assert ids(models, capabilities=["embeddings"]) == ["vectors"]
    painter = candidate("painter", capabilities=["vision", "image_generation"], output_modalities=["image"])
    assert ids([painter]) == []
    assert ids([painter], capabilities=["image_generation"]) == ["painter"]


def test_equals_stay_in_the_order_of_their_providers() -> None:
    assert ids([candidate("b"), candidate("a"), candidate("c")]) == ["b", "a", "c"]


def test_a_price_limit_is_the_number_that_was_written() -> None:
    exact = candidate("exact", price=ModelPrice(source="table", input="0.3", output="0.3"))
    assert ids([exact], max_input_price=0.3, max_output_price=0.3) == ["exact"]


@pytest.mark.parametrize("prefer", WEIGHTS)
def test_a_score_is_at_most_one(prefer: Preference) -> None:
    assert sum(WEIGHTS[prefer].values()) == 1
