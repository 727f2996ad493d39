"""The record of Google, and what its models take."""

import pytest

from sidecar.dialects.traits import UNKNOWN
from sidecar.providers.google import GOOGLE, GoogleConfig
from sidecar.providers.google_models import traits_of
from sidecar.providers.record import Place


def test_the_record_says_where_to_go_and_who_we_are() -> None:
    assert (GOOGLE.base_url, GOOGLE.dialect) == ("https://generativelanguage.googleapis.com/v1beta", "gemini_generate")
    assert (GOOGLE.key_header, GOOGLE.key_prefix, GOOGLE.key_env) == ("x-goog-api-key", "", "GEMINI_API_KEY")


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://generativelanguage.googleapis.com/v1beta", "https://generativelanguage.googleapis.com/v1beta/models"),
        ("https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com/v1beta/models"),
        ("https://generativelanguage.googleapis.com/", "https://generativelanguage.googleapis.com/v1beta/models"),
        ("https://gateway.example/gemini/v1/", "https://gateway.example/gemini/v1/models"),
    ],
)
def test_a_base_url_without_a_path_is_completed(base_url: str, url: str) -> None:
    assert GOOGLE.url(Place(GoogleConfig(), base_url, "m"), "/models") == url


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("gemini-4-argon", ("low", "medium", "high")),
        ("gemini-4-hydrogen", ("low", "medium", "high", "xhigh")),
        ("models/gemini-3.8-flash", ("low", "medium", "high")),
        ("gemini-3.7-flash", ("low", "medium", "high")),
        ("gemini-3.5-flash", ("minimal", "low", "medium", "high")),
        ("gemini-3.5-flash-lite", ("minimal", "low", "medium", "high")),
        ("gemini-3-flash-preview", ("minimal", "low", "medium", "high")),
        ("gemini-3.1-pro-preview", ("low", "medium", "high")),
        ("gemini-3-pro-preview", ("low", "high")),
        ("gemini-pro-latest", ("low", "medium", "high")),
        ("gemini-flash-latest", ("low", "medium", "high")),
        ("gemini-flash-lite-latest", ("minimal", "low", "medium", "high")),
    ],
)
def test_from_the_third_generation_on_models_take_efforts_and_signed_calls(
    model: str, efforts: tuple[str, ...]
) -> None:
    traits = traits_of(model)
    assert (traits.efforts, traits.budgets, traits.signed_calls) == (efforts, None, True)
    assert (traits.structured_with_tools, traits.files_in_results) == (True, True)


@pytest.mark.parametrize(
    ("model", "budgets", "off", "default"),
    [
        ("gemini-2.5-pro", (128, 32_768), False, "medium"),
        ("gemini-2.5-flash", (1, 24_576), True, "medium"),
        ("gemini-2.5-flash-lite", (512, 24_576), True, "none"),
    ],
)
def test_the_second_generation_takes_budgets(model: str, budgets: tuple[int, int], *, off: bool, default: str) -> None:
    traits = traits_of(model)
    assert (traits.budgets, "none" in (traits.efforts or ()), traits.default_effort) == (budgets, off, default)
    assert (traits.signed_calls, traits.structured_with_tools, traits.penalties) == (False, False, False)


def test_models_that_draw_write_no_json() -> None:
    assert (traits_of("gemini-2.5-flash-image").structured, traits_of("gemini-2.5-flash-image").efforts) == (
        "prompt",
        (),
    )


def test_of_other_models_nothing_is_known() -> None:
    assert traits_of("gemma-9") == traits_of("my-model") == UNKNOWN
    assert GOOGLE.traits(GoogleConfig(), "gemini-4-argon") == traits_of("gemini-4-argon")
