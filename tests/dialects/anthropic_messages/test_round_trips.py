"""An answer that goes back to the model that gave it, and to others."""

import json

from msgspec.structs import replace
from recorded import AIM, ORIGIN, Played, exchanges

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.schema.chat import ChatRequest, Message, Origin, ToolCall, ToolResult, Warning

RECORDED = {exchange["id"]: exchange["response_body"] for exchange in exchanges("anthropic-messages")}
THOUGHTS = "own-anthropic-thoughts-and-calls"
SERVER = "own-anthropic-server-tools"


def conversation(exchange_id: str) -> ChatRequest:
    """Return the answer as the host sends it back, with results of its tools."""
    answer = Played(DIALECT, [RECORDED[exchange_id].encode()]).transcript.message(ORIGIN)
    calls = [part.id for part in answer.content if isinstance(part, ToolCall)]
    results = [Message("tool", [ToolResult(call, "18")]) for call in calls]
    return ChatRequest(messages=[Message("user", "?"), answer, *results, *([] if calls else [Message("user", "!")])])


def test_thoughts_and_calls_go_back_as_they_came_and_in_order() -> None:
    encoded = DIALECT.encode_request(conversation(THOUGHTS), AIM)
    assert encoded.warnings == ()
    signature = "RXhhbXBsZS1zaWduYXR1cmUtb2YtYS10aG91Z2h0LTAwMDAw"
    wanted = (
        '{"role":"assistant","content":['
        '{"type":"thinking","thinking":"Two cities, süß.","signature":"' + signature + 'MQ=="},'
        '{"type":"redacted_thinking","data":"cmVkYWN0ZWQ="},'
        '{"type":"text","text":"I look them up."},'
        '{"type":"tool_use","id":"toolu_own1","name":"weather","input":{"city": "Paris"}},'
        '{"type":"thinking","thinking":"","signature":"' + signature + 'Mg=="},'
        '{"type":"tool_use","id":"toolu_own2","name":"weather","input":{"city":"Rome","days":[1,2.5]}},'
        '{"type":"tool_use","id":"toolu_own3","name":"now","input":{}}]}'
    )
    assert wanted in encoded.body.decode()


def test_blocks_of_the_server_go_back_as_they_came() -> None:
    encoded = DIALECT.encode_request(conversation(SERVER), AIM)
    assert encoded.warnings == ()
    events = [line[6:] for line in RECORDED[SERVER].splitlines() if line.startswith("data: ")]
    blocks = [json.loads(event)["content_block"] for event in events if '"content_block_start"' in event]
    blocks[0] |= {"content": "What was said.", "encrypted_content": "b2xk"}
    blocks[1] |= {"input": {"query": "rain"}}
    blocks[-1] |= {"text": "It is Sunday."}
    assert json.loads(encoded.body)["messages"][1] == {"role": "assistant", "content": blocks}


def test_only_words_and_calls_go_to_another_model() -> None:
    elsewhere = replace(AIM, origin=Origin("here", ORIGIN.endpoint, "m-2"))
    encoded = DIALECT.encode_request(conversation(THOUGHTS), elsewhere)
    kinds = [block["type"] for block in json.loads(encoded.body)["messages"][1]["content"]]
    assert kinds == ["text", "tool_use", "tool_use", "tool_use"]
    words = "Provider data in the conversation comes from another model and was left out."
    assert encoded.warnings == (Warning("opaque_dropped", words, "messages"),)
