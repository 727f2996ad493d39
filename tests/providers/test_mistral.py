from asked import TOOL, TOOL_TURNS, WIRE_TOOL, ask, models_url
from msgspec import Raw

from sidecar.providers.mistral import MistralConfig
from sidecar.schema.chat import Base64Source, File, Message, UrlSource

CONFIG = MistralConfig()


def test_where_questions_go() -> None:
    assert ask(CONFIG).url == "https://api.mistral.ai/v1/chat/completions"
    assert models_url(CONFIG) == "https://api.mistral.ai/v1/models"


def test_a_question_with_tools() -> None:
    asked = ask(CONFIG, tools=[TOOL], tool_choice="required", max_tokens=9, seed=1, parallel_tool_calls=False)
    assert asked.body == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 9,
        "random_seed": 1,
        "tools": [WIRE_TOOL],
        "tool_choice": "any",
        "parallel_tool_calls": False,
        "stream": True,
    }


def test_tool_calls_have_ids_of_nine_characters_and_the_assistant_speaks_after_tools() -> None:
    messages = ask(CONFIG, messages=[*TOOL_TURNS, Message("user", "And?")]).body["messages"]
    (call,) = messages[1]["tool_calls"]
    assert len(call["id"]) == 9
    assert messages[2] == {"role": "tool", "tool_call_id": call["id"], "content": "one"}
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant", "user"]


def test_files_have_forms_of_their_own() -> None:
    files = [
        File("application/pdf", UrlSource("https://a.test/x.pdf"), "x.pdf"),
        File("audio/ogg", Base64Source(Raw(b'"T2dn"'))),
    ]
    assert ask(CONFIG, messages=[Message("user", [*files])]).body["messages"][0]["content"] == [
        {"type": "document_url", "document_url": "https://a.test/x.pdf", "document_name": "x.pdf"},
        {"type": "input_audio", "input_audio": "T2dn"},
    ]
