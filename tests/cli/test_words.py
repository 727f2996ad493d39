from typing import get_args

import pytest

from sidecar.cli.words import STATES, failure, loading, summary, waiting
from sidecar.providers.hub import KEY_HINT
from sidecar.schema.chat import ChatResult, FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ModelName, State, Status
from sidecar.schema.usage import Cost, Timing, Usage


def result(usage: Usage, cost: Cost, timing: Timing) -> ChatResult:
    return ChatResult(
        finish_reason=FinishReason("stop"),
        usage=usage,
        cost=cost,
        timing=timing,
        attempts=[],
        warnings=[],
        provider="p",
        model="m",
    )


@pytest.mark.parametrize(
    ("usage", "cost", "timing", "line"),
    [
        (
            Usage(input_tokens=2, output_tokens=21, reasoning_tokens=5),
            Cost(amount=None),
            Timing(first_token_ms=500, total_ms=1500),
            "2 tokens in, 21 tokens out, 5 of them reasoning, 20.0 tokens/s, first token 0.50 s, total 1.50 s",
        ),
        (
            Usage(output_tokens=3, source="estimated"),
            Cost(amount="0.1", estimated=True),
            Timing(first_token_ms=7, total_ms=7),
            "about 3 tokens out, first token 0.01 s, total 0.01 s, cost about 0.1 USD",
        ),
        (
            Usage(input_tokens=2, output_tokens=21),
            Cost(amount="0", source="free"),
            Timing(first_token_ms=500, total_ms=1500, load_ms=300, prompt_ms=150, generation_ms=800),
            "2 tokens in, 21 tokens out, 25.0 tokens/s, first token 0.50 s, total 1.50 s",
        ),
        (Usage(), Cost(amount="0.0012"), Timing(total_ms=40), "total 0.04 s, cost 0.0012 USD"),
        (Usage(), Cost(amount="0", source="free"), Timing(total_ms=40), "total 0.04 s"),
    ],
)
def test_the_summary_tells_what_is_known(usage: Usage, cost: Cost, timing: Timing, line: str) -> None:
    assert summary(result(usage, cost, timing)) == line


def test_the_time_that_a_model_took_to_load_is_told_where_it_was_not_there() -> None:
    assert loading(Timing(total_ms=2000, load_ms=1160)) == ["model loaded in 1.16 s"]
    assert loading(Timing(total_ms=2000, load_ms=0)) == loading(Timing(total_ms=2000)) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(state="loading_model", progress=0.434), ("loading model", " 43 %")),
        (Status(state="stalled", ms=15_000), ("no sign of life", " for 15 s")),
        (Status(state="connecting"), ("connecting", "")),
        (Status(state="rate_limited"), ("waiting for the rate limit", "")),
        (Status(state="rate_limited", wait_ms=11_700), ("waiting for the rate limit", " for about 12 s")),
        (Status(state="retrying", ms=1500, attempt=2), ("that failed; trying again", " in 1.5 s (attempt 2)")),
        (
            Status(state="falling_back", from_=ModelName("a", "m-1"), to=ModelName("b", "m-2")),
            ("that failed; asking another model", " (b/m-2)"),
        ),
    ],
)
def test_a_status_is_told_in_words(status: Status, words: tuple[str, str]) -> None:
    assert waiting(status) == words


def test_there_are_words_for_every_state() -> None:
    assert set(STATES) == set(get_args(State))


def test_a_failure_tells_its_cure() -> None:
    error = SidecarError("rate_limited", "Groq asks to slow down.", retry_after_ms=12_000, hint="Wait a little.")
    assert failure(error.to_object()) == ["error: Groq asks to slow down.", "retry: in 12 s", "hint: Wait a little."]


def test_a_missing_key_is_cured_by_what_a_person_can_do() -> None:
    error = SidecarError("credential_not_found", "There is no key.", hint="Call credentials.save.")
    assert failure(error.to_object())[1].endswith("environment variable, such as OPENAI_API_KEY.")


def test_hints_name_commands_where_hosts_call_methods() -> None:
    terms = SidecarError("authentication", "x wants a key.", hint=KEY_HINT)
    assert failure(terms.to_object())[1].endswith(
        "save your key with `llm-sidecar keys set huggingface --base-url https://huggingface.co`."
    )
    missing = SidecarError("model_not_found", "There is no m.", hint="models.list tells which there are.")
    assert failure(missing.to_object())[1] == "hint: `llm-sidecar models list` tells which there are."
