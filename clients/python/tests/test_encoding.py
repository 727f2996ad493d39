import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_sidecar import Secret, Unknown, decode, encode
from llm_sidecar.protocol import (
    AnthropicConfig,
    ChatResult,
    Custom,
    FinishReason,
    Message,
    OpenAIConfig,
    Part,
    PartDelta,
    StreamChunk,
    Text,
    ToolCallDelta,
    UrlCitation,
)

KEY = "sk-not-to-be-seen"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


def test_known_arms_have_their_types() -> None:
    chunk = decode(b'{"stream_id":"s","seq":0,"delta":{"type":"tool_call","index":1}}', StreamChunk)
    assert chunk.delta == ToolCallDelta(index=1)
    assert chunk.delta.type == "tool_call"


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON))
def test_an_unknown_arm_keeps_its_json(members: dict[str, Any]) -> None:
    written = json.dumps(members | {"type": "hologram"})
    message = decode(f'{{"role":"assistant","content":[{written}]}}'.encode(), Message)
    assert message.content == [Unknown("hologram", written.encode())]
    assert written.encode() in encode(message)


def test_unknown_arms_are_found_at_any_depth() -> None:
    citation = b'{"type":"oracle","n":1.50}'
    part = b'{"type":"text","text":"x","citations":[{"type":"url","url":"u"},' + citation + b"]}"
    delta = b'{"type":"part","index":0,"part":' + part + b"}"
    chunk = decode(b'{"stream_id":"s","seq":0,"delta":' + delta + b"}", StreamChunk)
    known, unknown = UrlCitation(url="u"), Unknown("oracle", citation)
    assert chunk.delta == PartDelta(index=0, part=Text(text="x", citations=[known, unknown]))
    assert citation in encode(chunk)


@pytest.mark.parametrize(
    "delta",
    ['{"type":"text","index":0}', '{"type":"text","index":"0","text":""}', '{"index":0}', '{"type":5}', "null", "[]"],
)
def test_a_broken_arm_is_not_taken_for_an_unknown_one(delta: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(f'{{"stream_id":"s","seq":0,"delta":{delta}}}'.encode(), StreamChunk)


def test_values_made_by_the_host_need_no_decoding() -> None:
    parts: list[Part] = [Text(text="a"), Unknown("b", b'{"type":"b"}')]
    assert encode(Message(role="user", content=parts)) == (
        b'{"role":"user","content":[{"type":"text","text":"a"},{"type":"b"}]}'
    )


@pytest.mark.parametrize("show", [repr, str, "{}".format])
def test_a_key_is_written_and_never_shown(show: Any) -> None:
    config = AnthropicConfig(api_key=KEY, headers={"x-key": KEY})
    assert encode(config).count(KEY.encode()) == 2
    assert KEY not in show(config)
    assert KEY not in show(config.headers)
    assert KEY not in show(config.api_key)
    assert KEY not in f"{config.api_key!s:>40}"


def test_a_key_can_be_asked_for() -> None:
    config = decode(encode(OpenAIConfig(api_key=KEY)), OpenAIConfig)
    assert isinstance(config.api_key, Secret)
    assert config.api_key.reveal() == KEY
    assert config.api_key == KEY


@pytest.mark.parametrize("message", ["", '"message":null,'])
def test_no_message_and_a_null_message_are_two_things(message: str) -> None:
    members = '"finish_reason":{"reason":"stop"},"usage":{},"cost":{"amount":null},"timing":{"total_ms":1}'
    written = f'{{{message}{members},"attempts":[],"warnings":[],"provider":"p","model":"m"}}'
    assert json.loads(encode(decode(written.encode(), ChatResult))) == json.loads(written)


def test_an_enumeration_that_may_grow_takes_any_text() -> None:
    assert decode(b'{"reason":"bored"}', FinishReason).reason == "bored"


def test_what_is_no_value_of_the_protocol_is_not_written() -> None:
    with pytest.raises(TypeError, match="object"):
        encode({"a": object()})


def test_opaque_data_stays_as_it_is() -> None:
    written = (
        b'{"type":"custom","opaque":{"data":"{\\"b\\": 1.0}","origin":{"provider":"p","endpoint":"e","model":"m"}}}'
    )
    assert encode(decode(written, Custom)) == written
