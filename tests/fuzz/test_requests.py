"""Whatever a host sends is read or refused in words, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hostile_json import ODD_VALUES, TEXTS, examples, twisted
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from recorded import AIM, DIALECTS, dialect_of

from sidecar.methods.table import METHODS
from sidecar.rpc import messages
from sidecar.rpc.lines import REMEMBERED_BYTES, LineSplitter, Oversized
from sidecar.rpc.messages import Ignored, Incoming, Invalid
from sidecar.schema.chat import ChatRequest, StreamRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.session import CancelRequestParams

SAMPLES = Path(__file__).parents[2] / "protocol" / "samples"
PARAMS = {kind.__name__: kind for kind in (*(method.params for method in METHODS), CancelRequestParams)}
FORERUNNERS = {StreamRequest: ChatRequest}
"""Of what type the samples are where there are none of the type itself."""

MEANT = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[1,"x",null]}}'


def samples(kind: type) -> list[bytes]:
    folder = SAMPLES / FORERUNNERS.get(kind, kind).__name__
    return [path.read_bytes() for path in sorted(folder.glob("*valid/*.json"))]


def check(message: Incoming | Invalid | Ignored) -> None:
    assert isinstance(message, Ignored) or isinstance(message.id, str | int | None)
    if isinstance(message, Invalid):
        assert message.error.type in {"parse_error", "invalid_message"}


def members(line: bytes) -> Iterator[Incoming | Invalid | Ignored]:
    found = messages.decode(line)
    yield from found if isinstance(found, list) else [found]


@examples(300)
@given(st.data())
def test_any_line_is_a_message_or_is_refused(data: st.DataObject) -> None:
    line = (
        data.draw(TEXTS)
        if data.draw(st.booleans())
        else twisted(data.draw(st.sampled_from([MEANT, b"[%b]" % MEANT])), data)
    )
    for message in members(line):
        check(message)


@given(st.lists(st.sampled_from([b"\n", b"\r", b" ", b"\xef\xbb\xbf", b"x" * 7, b"y" * 40, b"z" * 9000])))
def test_a_splitter_holds_no_more_than_its_limit(pieces: list[bytes]) -> None:
    limit = 100
    splitter = LineSplitter(limit)
    for piece in pieces:
        for line in splitter.feed(piece):
            if isinstance(line, Oversized):
                assert max(len(line.head), len(line.tail)) <= REMEMBERED_BYTES
            else:
                assert 0 < len(line) <= limit
        assert sum(map(len, splitter._pieces)) <= max(limit, REMEMBERED_BYTES)
    assert len(list(splitter.close())) <= 1


@pytest.mark.parametrize("name", PARAMS)
@examples(60)
@given(st.data())
def test_params_are_what_a_method_wants_or_invalid(name: str, data: st.DataObject) -> None:
    found = samples(PARAMS[name])
    text = twisted(data.draw(st.sampled_from(found)), data) if found and data.draw(st.booleans()) else data.draw(TEXTS)
    read_or_refused(PARAMS[name], text)


def read_or_refused(kind: type, text: bytes) -> Any:
    """Return the params if they are any; they arrive as the envelope has them, broken characters mended."""
    try:
        found = messages.decode_params(messages.decoder(kind), Raw(text))
    except SidecarError as error:
        assert (error.type, error.message[-1:]) == ("invalid_params", ".")  # noqa: PT017 - either outcome will do
        return None
    assert isinstance(found, kind)
    return found


def test_samples_are_found_for_most_types() -> None:
    assert {name for name, kind in PARAMS.items() if not samples(kind)} <= {
        "Empty",
        "OptionalProvider",
        "ProviderChoice",
    }


QUESTIONS = [text for path in sorted((SAMPLES / "ChatRequest" / "valid").glob("*.json")) if (text := path.read_bytes())]
CONVERSATION = b"""{"messages":[
{"role":"system","content":"Be brief."},
{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"file","media_type":"image/png","source":{"type":"base64","data":"AA=="}}]},
{"role":"assistant","content":[{"type":"reasoning","text":"Hm."},{"type":"text","text":"Ho"},{"type":"tool_call","id":"a","name":"f","arguments":"{\\"x\\":1}"}]},
{"role":"tool","content":[{"type":"tool_result","tool_call_id":"a","content":"18"}]}],
"tools":[{"type":"function","name":"f","input_schema":{"type":"object","properties":{"x":{"type":"number"}}}}],
"tool_choice":"auto","temperature":0.5,"max_tokens":10,"stop":["x"],
"response_format":{"type":"json_schema","name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}}}}}"""


@pytest.mark.parametrize("name", DIALECTS)
@examples(120)
@given(st.data())
def test_any_question_that_is_one_is_put_into_words_or_refused(name: str, data: st.DataObject) -> None:
    request = read_or_refused(ChatRequest, twisted(data.draw(st.sampled_from([CONVERSATION, *QUESTIONS])), data))
    if request is None:
        return
    try:
        encoded = dialect_of(name).encode_request(request, AIM)
    except SidecarError as error:
        assert error.type in {"unsupported_feature", "unsupported_parameter", "invalid_params"}  # noqa: PT017
        return
    assert isinstance(msgspec.json.decode(encoded.body), dict)


@pytest.mark.parametrize("value", ODD_VALUES)
@pytest.mark.parametrize("name", DIALECTS)
def test_arguments_of_any_form_go_back_to_the_model(name: str, value: bytes) -> None:
    arguments = value.decode(errors="replace")
    call = [{"type": "tool_call", "id": "a", "name": "f", "arguments": arguments}]
    result = [{"type": "tool_result", "tool_call_id": "a", "content": arguments}]
    asked = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": call},
        {"role": "tool", "content": result},
    ]
    request = msgspec.convert({"messages": asked}, ChatRequest)
    encoded = dialect_of(name).encode_request(request, AIM)
    assert len(encoded.body) < 20 * len(value) + 1000
    msgspec.json.decode(encoded.body, type=dict[str, Raw])
