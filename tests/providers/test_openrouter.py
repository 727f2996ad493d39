import pytest
from asked import HELLO, TOOL, TOOL_TURNS, WIRE_TOOL, ask, models_url
from msgspec import Raw

from sidecar.providers.openrouter import OpenRouterConfig
from sidecar.schema.chat import (
    Base64Source,
    CacheHint,
    File,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    ReasoningOptions,
    Text,
    UrlSource,
)

CONFIG = OpenRouterConfig()


def test_where_questions_go() -> None:
    assert ask(CONFIG).url == "https://openrouter.ai/api/v1/chat/completions"
    assert models_url(CONFIG) == "https://openrouter.ai/api/v1/models"


def test_token_counts_come_without_being_asked_for() -> None:
    assert ask(CONFIG).body == {"model": "m-1", "messages": [{"role": "user", "content": "Hello"}], "stream": True}


def test_only_servers_that_read_tools_and_forms_are_asked() -> None:
    routed = {"provider": {"require_parameters": True}}
    assert ask(CONFIG, tools=[TOOL]).added == {"tools": [WIRE_TOOL]} | routed
    assert (
        ask(CONFIG, messages=[Message("user", "json")], response_format=JsonFormat()).added
        == {"response_format": {"type": "json_object"}} | routed
    )
    assert ask(CONFIG, response_format=JsonSchemaFormat({})).added["provider"] == {"require_parameters": True}
    assert ask(CONFIG, temperature=0.5, top_k=3, seed=1).added == {"temperature": 0.5, "top_k": 3, "seed": 1}


def test_a_host_may_choose_servers_and_still_have_its_tools_read() -> None:
    chosen = {"openrouter": {"provider": {"order": ["a"]}, "models": ["b"]}}
    assert ask(CONFIG, tools=[TOOL], provider_options=chosen).added == {
        "tools": [WIRE_TOOL],
        "provider": {"require_parameters": True, "order": ["a"]},
        "models": ["b"],
    }
    ignoring = {"openrouter": {"provider": {"require_parameters": False}}}
    assert ask(CONFIG, tools=[TOOL], provider_options=ignoring).added["provider"] == {"require_parameters": False}


@pytest.mark.parametrize(
    ("options", "reasoning"),
    [
        (ReasoningOptions("xhigh"), {"effort": "xhigh"}),
        (ReasoningOptions("none"), {"effort": "none"}),
        (ReasoningOptions(None, 2000), {"max_tokens": 2000}),
    ],
)
def test_how_much_to_think(options: ReasoningOptions, reasoning: object) -> None:
    asked = ask(CONFIG, reasoning=options)
    assert (asked.added, asked.warned) == ({"reasoning": reasoning}, [])


def test_thoughts_go_back_with_their_tool_calls() -> None:
    assert ask(CONFIG, messages=TOOL_TURNS).body["messages"][1]["reasoning"] == "Hm"


def test_what_is_to_be_cached_is_marked() -> None:
    asked = ask(CONFIG, messages=[Message("user", [Text("a", cache=CacheHint())])])
    assert asked.body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}


def test_files_of_all_kinds_are_sent() -> None:
    files = [
        File("image/png", UrlSource("https://a.test/x.png")),
        File("application/pdf", UrlSource("https://a.test/x.pdf"), "x.pdf"),
        File("audio/ogg", Base64Source(Raw(b'"T2dn"'))),
        File("video/mp4", UrlSource("https://a.test/x.mp4")),
    ]
    assert ask(CONFIG, messages=[Message("user", [*files]), HELLO]).body["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": "https://a.test/x.png"}},
        {"type": "file", "file": {"filename": "x.pdf", "file_data": "https://a.test/x.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "T2dn", "format": "ogg"}},
        {"type": "video_url", "video_url": {"url": "https://a.test/x.mp4"}},
    ]
