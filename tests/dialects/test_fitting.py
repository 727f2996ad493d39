"""Requests cut to what a model takes."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sidecar.dialects.contract import Aim
from sidecar.dialects.fitting import BUDGETS, OPTIONS, fit
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.report import Report
from sidecar.dialects.shaping import AS_IT_COMES, Shaping
from sidecar.dialects.traits import EFFORTS, ModelTraits
from sidecar.schema.chat import (
    ChatRequest,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    NamedTool,
    Origin,
    ReasoningOptions,
    Text,
    TextFormat,
    Warning,
)
from sidecar.schema.errors import SidecarError

ASKED = [Message("user", "?")]
TOOL = FunctionTool("f")
SCHEMA = JsonSchemaFormat({"type": "object"}, name="out")


def fitted(
    takes: frozenset[str] = OPTIONS,
    lacks: frozenset[str] = frozenset(),
    traits: ModelTraits | None = None,
    **asked: Any,
) -> tuple[ChatRequest, Shaping, list[tuple[str | None, str]]]:
    """Return what becomes of a request, and the parameters that were warned about."""
    report = Report("warn")
    aim = Aim(
        provider="here",
        kind="kind",
        model="m-1",
        origin=Origin("here", "https://llm.test/v1", "m-1"),
        quirks=ChatQuirks(),
        traits=traits or ModelTraits(),
        lacks=lacks,
    )
    found = fit(ChatRequest(**({"messages": ASKED} | asked)), aim, report, takes)
    return found.request, found.shaping, [(warning.param, warning.message) for warning in report.warnings]


def reasoned(traits: ModelTraits, effort: Any = None, budget: int | None = None) -> tuple[Any, Any, list[str | None]]:
    """Return the effort and the budget that go out, and what was warned about."""
    request, _, warnings = fitted(traits=traits, reasoning=ReasoningOptions(effort, budget))
    found = request.reasoning or ReasoningOptions()
    return found.effort, found.budget_tokens, [param for param, _ in warnings]


EVERYTHING: dict[str, Any] = {
    "max_tokens": 10,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 5,
    "stop": ["END"],
    "seed": 1,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
    "context_size": 4096,
    "reasoning": ReasoningOptions("low"),
    "tools": [TOOL],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
}


def test_an_unknown_model_is_asked_as_the_request_says() -> None:
    assert fitted(**EVERYTHING) == (ChatRequest(messages=ASKED, **EVERYTHING), AS_IT_COMES, [])


@pytest.mark.parametrize("name", sorted(OPTIONS - {"stop", "max_tokens", "cache"}))
def test_what_the_format_has_no_word_for_is_left_out_with_a_warning(name: str) -> None:
    request, _, warnings = fitted(takes=OPTIONS - {name}, **EVERYTHING)
    default = getattr(ChatRequest(messages=[]), name)
    assert request == replace(ChatRequest(messages=ASKED, **EVERYTHING), **{name: default})
    assert warnings == [(name, f"The provider takes no `{name}`; it was left out.")]


@pytest.mark.parametrize("name", sorted(OPTIONS - {"stop", "max_tokens", "cache"}))
def test_what_the_model_was_found_not_to_take_is_left_out_with_a_warning(name: str) -> None:
    request, _, warnings = fitted(lacks=frozenset({name}), **EVERYTHING)
    assert getattr(request, name) == getattr(ChatRequest(messages=[]), name)
    assert [param for param, _ in warnings] == [name]


def test_what_was_not_asked_for_is_not_warned_about() -> None:
    everything = ModelTraits(sampling="never", efforts=(), forced_tools=False, max_output_tokens=1)
    assert fitted(takes=frozenset(), lacks=OPTIONS, traits=everything) == (ChatRequest(messages=ASKED), AS_IT_COMES, [])


@pytest.mark.parametrize("missing", [{"takes": OPTIONS - {"stop"}}, {"lacks": frozenset({"stop"})}])
def test_stop_sequences_are_cut_here_where_the_provider_does_not(missing: Any) -> None:
    request, shaping, warnings = fitted(stop=["END", "\n\n"], **missing)
    assert (request.stop, shaping, warnings) == ([], Shaping(stop=("END", "\n\n")), [])


def test_parallel_calls_are_what_all_models_do_by_themselves() -> None:
    takes = OPTIONS - {"parallel_tool_calls"}
    assert fitted(takes=takes, tools=[TOOL], parallel_tool_calls=True)[2] == []
    assert [param for param, _ in fitted(takes=takes, tools=[TOOL], parallel_tool_calls=False)[2]] == [
        "parallel_tool_calls"
    ]


def test_an_error_may_be_asked_for_instead_of_a_warning() -> None:
    aim = Aim(provider="h", kind="k", model="m", origin=Origin("h", "e", "m"), quirks=ChatQuirks())
    with pytest.raises(SidecarError) as caught:
        fit(ChatRequest(messages=ASKED, seed=1), aim, Report("error"), frozenset())
    assert (caught.value.type, caught.value.message) == ("unsupported_parameter", "The provider takes no `seed`.")


@pytest.mark.parametrize(
    ("asked", "sent"),
    [("none", "low"), ("minimal", "low"), ("low", "low"), ("medium", "low"), ("high", "high"), ("max", "high")],
)
def test_an_effort_becomes_the_nearest_lower_one_that_the_model_offers(asked: Any, sent: str) -> None:
    assert reasoned(ModelTraits(efforts=("low", "high")), asked) == (
        sent,
        None,
        [] if asked == sent else ["reasoning.effort"],
    )


@pytest.mark.parametrize(
    ("asked", "sent"), [(0, "none"), (1, "low"), (2_048, "low"), (9_000, "low"), (20_000, "high"), (10**6, "high")]
)
def test_a_budget_becomes_an_effort_where_the_model_takes_none(asked: int, sent: str) -> None:
    found = reasoned(ModelTraits(efforts=("none", "low", "high")), budget=asked)
    assert found == (sent, None, ["reasoning.budget_tokens"])


@pytest.mark.parametrize(("asked", "sent"), [("none", 0), ("minimal", 1024), ("medium", 8192), ("max", 20_000)])
def test_an_effort_becomes_a_budget_where_the_model_offers_none(asked: Any, sent: int) -> None:
    assert reasoned(ModelTraits(efforts=(), budgets=(1024, 20_000)), asked) == (None, sent, [])


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (1, 1024), (1024, 1024), (5000, 5000), (10**6, 20_000)])
def test_a_budget_is_kept_within_bounds(asked: int, sent: int) -> None:
    found = reasoned(ModelTraits(budgets=(1024, 20_000)), budget=asked)
    assert found == (None, sent, [] if asked == sent else ["reasoning.budget_tokens"])


def test_an_effort_beside_a_budget_is_one_that_the_model_offers() -> None:
    traits = ModelTraits(efforts=("low", "high"), budgets=(1024, 20_000))
    assert reasoned(traits, "minimal", 2000) == ("low", 2000, ["reasoning.effort"])
    assert reasoned(traits, "high", 2000) == ("high", 2000, [])


def test_a_budget_stands_for_an_effort_where_the_model_offers_none() -> None:
    assert reasoned(ModelTraits(efforts=(), budgets=(1024, 20_000)), "high", 2000) == (None, 2000, [])


def test_a_model_that_does_not_reason_is_not_asked_to() -> None:
    traits = ModelTraits(efforts=())
    assert reasoned(traits, "high") == (None, None, ["reasoning"])
    assert reasoned(traits, budget=2000) == (None, None, ["reasoning"])
    assert reasoned(traits, "none") == (None, None, [])
    assert reasoned(traits, budget=0) == (None, None, [])


def test_a_model_whose_reasoning_can_only_be_turned_off_is_not_asked_for_more() -> None:
    traits = ModelTraits(efforts=("none",))
    assert reasoned(traits, "high") == (None, None, ["reasoning"])
    assert reasoned(traits, "none") == ("none", None, [])
    assert reasoned(traits, budget=0) == ("none", None, [])


SAMPLING: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "presence_penalty": 0.1}


def sampled(traits: ModelTraits, effort: Any = None, **asked: Any) -> tuple[dict[str, Any], list[str | None]]:
    reasoning = ReasoningOptions(effort) if effort else None
    request, _, warnings = fitted(traits=traits, reasoning=reasoning, **(asked or SAMPLING))
    left = {name: getattr(request, name) for name in SAMPLING if getattr(request, name) is not None}
    return left, [param for param, _ in warnings]


def test_sampling_is_left_out_where_the_model_takes_none() -> None:
    names: list[str | None] = ["temperature", "top_p", "top_k", "presence_penalty"]
    never, unless = ModelTraits(sampling="never"), ModelTraits(sampling="unless_reasoning")
    assert sampled(never) == ({}, names)
    assert sampled(never, "none") == ({}, names)
    assert sampled(unless) == ({}, names)
    assert sampled(unless, "low") == ({}, names)
    assert sampled(unless, "none") == (SAMPLING, [])
    assert sampled(replace(unless, default_effort="none")) == (SAMPLING, [])
    assert sampled(replace(unless, default_effort="none"), "low") == ({}, names)


def test_one_of_two_is_left_where_the_model_takes_no_more() -> None:
    traits = ModelTraits(sampling="one_of_two")
    assert sampled(traits, temperature=0.5, top_p=0.9) == ({"temperature": 0.5}, ["top_p"])
    assert sampled(traits, top_p=0.9) == ({"top_p": 0.9}, [])


def test_an_answer_is_no_longer_than_the_model_can_write() -> None:
    traits = ModelTraits(max_output_tokens=100)
    assert fitted(traits=traits, max_tokens=100)[0].max_tokens == 100
    request, _, warnings = fitted(traits=traits, max_tokens=101)
    assert (request.max_tokens, warnings) == (
        100,
        [("max_tokens", "The model writes 100 tokens at most; 100 was sent.")],
    )


@pytest.mark.parametrize("choice", ["required", NamedTool("f")])
def test_a_choice_among_no_tools_is_left_out(choice: Any) -> None:
    request, _, warnings = fitted(tool_choice=choice, parallel_tool_calls=False)
    assert request == ChatRequest(messages=ASKED)
    assert [param for param, _ in warnings] == ["tool_choice"]


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_a_choice_that_needs_no_tool_goes_without_a_word(choice: Any) -> None:
    assert fitted(tool_choice=choice) == (ChatRequest(messages=ASKED), AS_IT_COMES, [])


@pytest.mark.parametrize(
    ("choice", "which"), [("required", "at least one of the tools"), (NamedTool("f"), "the tool `f`")]
)
@pytest.mark.parametrize(
    "without", [{"traits": ModelTraits(forced_tools=False)}, {"lacks": frozenset({"tool_choice"})}]
)
def test_a_tool_that_cannot_be_made_a_must_is_asked_for_in_words(choice: Any, which: str, without: Any) -> None:
    messages = [Message("system", "Be brief."), *ASKED]
    request, _, warnings = fitted(messages=messages, tools=[TOOL], tool_choice=choice, **without)
    assert request.tool_choice == "auto"
    assert request.messages == [
        Message("system", "Be brief."),
        Message("system", f"Answer this turn by calling {which}."),
        *ASKED,
    ]
    assert [param for param, _ in warnings] == ["tool_choice"]


def structured(wanted: Any = SCHEMA, **asked: Any) -> str | None:
    """Return the way by which JSON is asked for, and check that it is the one that goes out."""
    request, shaping, warnings = fitted(response_format=wanted, **asked)
    assert warnings == []
    assert (shaping.structured == "native") == (request.response_format == wanted)
    assert (shaping.structured == "tool") == (shaping.tool is not None)
    assert (shaping.structured == "prompt") == shaping.fenced
    return shaping.structured


def test_json_is_asked_for_in_the_best_way_there_is() -> None:
    apart = ModelTraits(structured_with_tools=False)
    by_tool, by_words = ModelTraits(structured="tool", json_object=False), ModelTraits(structured="prompt")
    assert structured() == "native"
    assert structured(JsonFormat()) == "native"
    assert structured(tools=[TOOL]) == "native"
    assert structured(traits=apart) == "native"
    assert structured(traits=apart, tools=[TOOL]) == "prompt"
    assert structured(traits=by_tool) == "tool"
    assert structured(traits=by_tool, tools=[TOOL]) == "prompt"
    assert structured(JsonFormat(), traits=by_tool) == "prompt"
    assert structured(traits=replace(by_tool, forced_tools=False)) == "prompt"
    assert structured(traits=by_words) == "prompt"
    assert structured(lacks=frozenset({"response_format"})) == "tool"
    assert structured(lacks=frozenset({"response_format", "tools"})) == "prompt"
    assert structured(lacks=frozenset({"response_format", "tool_choice"})) == "prompt"


def test_free_text_is_nothing_to_ask_for() -> None:
    _, shaping, warnings = fitted(response_format=TextFormat())
    assert (shaping, warnings) == (AS_IT_COMES, [])


def test_a_tool_that_takes_the_answer_is_made_a_must() -> None:
    request, shaping, _ = fitted(traits=ModelTraits(structured="tool"), response_format=SCHEMA, stop=["x"])
    assert request.tools == [FunctionTool("out", "Gives the answer.", {"type": "object"})]
    assert (request.tool_choice, request.response_format) == (NamedTool("out"), None)
    assert shaping == Shaping(tool="out", structured="tool")


def test_a_schema_is_told_in_words_where_there_is_no_other_way() -> None:
    request, shaping, _ = fitted(traits=ModelTraits(structured="prompt"), response_format=SCHEMA)
    (told, *rest) = request.messages
    assert rest == ASKED
    assert told.role == "system"
    assert str(told.content).endswith('It must match this JSON Schema:\n{"type":"object"}')
    assert shaping == Shaping(fenced=True, structured="prompt")
    assert request.response_format == JsonFormat()


def test_a_schema_in_words_is_alone_where_json_cannot_be_asked_for() -> None:
    by_words = ModelTraits(structured="prompt", structured_with_tools=False)
    assert fitted(traits=by_words, response_format=SCHEMA, tools=[TOOL])[0].response_format is None
    assert fitted(traits=replace(by_words, json_object=False), response_format=SCHEMA)[0].response_format is None
    numbers = JsonSchemaFormat({"type": "array", "items": {"type": "integer"}}, "out")
    assert fitted(traits=by_words, response_format=numbers)[0].response_format is None


def test_only_an_object_can_come_as_a_call_of_a_tool() -> None:
    numbers = JsonSchemaFormat({"type": "array", "items": {"type": "integer"}}, "out")
    assert fitted(traits=ModelTraits(structured="tool"), response_format=numbers)[1].structured == "prompt"


def test_any_object_is_asked_for_in_words_too() -> None:
    assert fitted(response_format=JsonFormat())[0].messages == [Message("system", "Answer with a JSON object."), *ASKED]
    for messages in ([Message("user", "as json")], [Message("user", [Text("As JSON, please.")])]):
        assert fitted(response_format=JsonFormat(), messages=messages)[0].messages == messages


def test_the_worth_of_efforts_ascends() -> None:
    assert list(BUDGETS) == list(EFFORTS)
    assert sorted(BUDGETS.values()) == list(BUDGETS.values())


def test_warnings_are_told_once() -> None:
    report = Report("warn")
    for _ in range(2):
        report.unsupported("seed", "The model takes no `seed`")
        report.opaque_dropped()
        report.history("Changed.")
    assert [warning.type for warning in report.warnings] == [
        "unsupported_parameter",
        "opaque_dropped",
        "conversation_changed",
    ]
    assert report.warnings[0] == Warning("unsupported_parameter", "The model takes no `seed`; it was left out.", "seed")
    assert msgspec.json.encode(report.warnings)
