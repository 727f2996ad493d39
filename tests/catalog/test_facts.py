from datetime import date

import pytest

from sidecar.catalog.facts import SHEETS, Ending, Family, ending_of, family_of, sheet, successor_hint
from sidecar.catalog.prices import listed
from sidecar.catalog.rules import Rule

TODAY = date(2026, 11, 22)
KINDS = sorted(path.stem for path in SHEETS.glob("*.json"))
HEIRS = [(kind, ending.successor) for kind in KINDS for ending in sheet(kind).endings if ending.successor]


@pytest.mark.parametrize(
    ("kind", "model", "hint"),
    [
        ("openai", "gpt-4-turbo", "gpt-4-turbo was shut down on 2026-10-23; gpt-6-astra succeeds it."),
        ("openai", "gpt-3.5-turbo", "gpt-3.5-turbo was shut down on 2026-10-23; gpt-6-luna succeeds it."),
        ("openai", "gpt-4o", "gpt-4o is deprecated and ends on 2027-01-14; gpt-6-sol succeeds it."),
        ("openai", "gpt-4o-mini", "gpt-4o-mini is deprecated and ends on 2027-01-14; gpt-6-luna succeeds it."),
        ("openai", "o1", "o1 was shut down on 2026-10-23; models.list tells which models there are now."),
        (
            "anthropic",
            "claude-3-5-sonnet-20241022",
            "claude-3-5-sonnet-20241022 was shut down on 2025-10-28; claude-sonnet-5-5 succeeds it.",
        ),
        (
            "anthropic",
            "claude-3-opus-20240229",
            "claude-3-opus-20240229 was shut down on 2026-01-05; claude-opus-5-5 succeeds it.",
        ),
        (
            "anthropic",
            "claude-sonnet-4-5",
            "claude-sonnet-4-5 is deprecated and ends on 2026-11-30; claude-sonnet-5-5 succeeds it.",
        ),
        ("google", "gemini-1.5-pro", "gemini-1.5-pro was shut down; gemini-4-argon succeeds it."),
        ("google", "gemini-2.0-flash-exp", "gemini-2.0-flash-exp was shut down; gemini-3.8-flash succeeds it."),
        (
            "google",
            "gemini-2.5-flash",
            "gemini-2.5-flash is deprecated and ends on 2026-12-01; gemini-3.5-flash-lite succeeds it.",
        ),
        ("deepseek", "deepseek-chat", "deepseek-chat was shut down on 2026-07-24; deepseek-v4-flash succeeds it."),
    ],
)
def test_whoever_asks_for_a_model_in_vain_is_told_of_its_end(kind: str, model: str, hint: str) -> None:
    assert successor_hint(kind, model, TODAY) == hint


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", "gpt-6-sol"),
        ("openai", "gpt-4o-transcribe"),
        ("google", "gemini-2.5-flash-lite"),  # stays
        ("azure", "gpt-4-turbo"),  # hosts keep their own calendar
        ("ollama", "gpt-4"),
    ],
)
def test_of_a_model_without_a_known_end_nothing_is_told(kind: str, model: str) -> None:
    assert successor_hint(kind, model, TODAY) is None
    assert ending_of(kind, model) is None


def test_a_deprecated_model_is_retired_from_its_day_on() -> None:
    ending = Ending(rule=Rule(), shut_down=date(2026, 12, 11))
    assert [ending.status(date(2026, 12, day)) for day in (10, 11)] == ["deprecated", "retired"]
    assert Ending(rule=Rule()).status(TODAY) == "retired"


@pytest.mark.parametrize("kind", KINDS)
def test_a_sheet_can_be_read_and_names_its_like(kind: str) -> None:
    found = sheet(kind)
    assert found.families or found.like in KINDS


@pytest.mark.parametrize(("kind", "heir"), HEIRS)
def test_a_successor_is_a_model_that_stays(kind: str, heir: str) -> None:
    assert listed(kind, heir) is not None
    assert ending_of(kind, heir) is None


@pytest.mark.parametrize(
    ("kind", "model", "capability"),
    [
        ("openai", "text-embedding-3-small", "embeddings"),
        ("ollama", "nomic-embed-text", "embeddings"),
        ("google", "gemini-3.8-flash-tts", "speech"),
        ("groq", "whisper-large-v3", "transcription"),
        ("openai", "gpt-image-2", "image_generation"),
        ("openai", "gpt-realtime-2", "speech"),
        ("openai", "sora-2", "video_generation"),
        ("openai", "omni-moderation-latest", "moderation"),
    ],
)
def test_what_does_not_chat_is_known_by_its_name(kind: str, model: str, capability: str) -> None:
    family = family_of(kind, model)
    assert family is not None
    assert family.capabilities == (capability,)


def test_a_host_has_its_makers_models() -> None:
    assert family_of("azure", "gpt-6-sol") == family_of("openai", "gpt-6-sol")
    assert family_of("azure", "my-deployment") is None


def test_names_are_compared_without_regard_to_case() -> None:
    family = family_of("anthropic", "Claude-Opus-5-5")
    assert isinstance(family, Family)
    assert family.input_modalities == ("text", "image", "file")
