from typing import Any

import pytest

from sidecar.dialects.traits import UNKNOWN
from sidecar.providers import PROVIDERS
from sidecar.providers.xai import XAIConfig

RECORD = PROVIDERS["xai"]


def test_responses_are_spoken_unless_chat_is_asked_for() -> None:
    assert RECORD.speaks(XAIConfig()) == "openai_responses"
    assert RECORD.speaks(XAIConfig(api="chat")) == "openai_chat"
    assert (RECORD.base_url, RECORD.key_env) == ("https://api.x.ai/v1", "XAI_API_KEY")


def test_chat_completions_leave_reasoning_out_of_the_output() -> None:
    quirks = RECORD.quirks
    assert (quirks.reasoning_excluded, quirks.stop, quirks.penalties, quirks.developer_role) == (
        True,
        False,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("grok-4.7", ("low", "medium", "high", "xhigh")),
        ("grok-4.7-2026-10-01", ("low", "medium", "high", "xhigh")),
        ("grok-4.3", ("none", "low", "medium", "high", "xhigh")),
        ("grok-build-0.1", ()),
        ("grok-4.70", None),
    ],
)
def test_models_offer_different_efforts(model: str, efforts: Any) -> None:
    assert RECORD.traits(XAIConfig(), model).efforts == efforts


def test_nothing_is_known_of_other_models() -> None:
    assert RECORD.traits(XAIConfig(), "grok-9") == UNKNOWN
