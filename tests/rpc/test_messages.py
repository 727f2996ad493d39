"""Between bytes and messages: ids verbatim, bad input answered, output in printable ASCII."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rpc import messages
from sidecar.rpc.messages import ErrorReply, Ignored, Incoming, Invalid, Notification, Reply
from sidecar.schema.errors import SidecarError
from sidecar.schema.secret import Secret


def refusal(line: bytes) -> tuple[object, str]:
    message = messages.decode(line)
    assert isinstance(message, Invalid)
    return message.id, message.error.type


@pytest.mark.parametrize("id_", ["1", "0", "-5", "12345678901234567890123", '"a"', '""', '"é"', '"\\u00e9"'])
def test_ids_are_kept_verbatim(id_: str) -> None:
    message = messages.decode(f'{{"jsonrpc":"2.0","id":{id_},"method":"m"}}'.encode())
    assert isinstance(message, Incoming)
    assert message.id is not None
    assert json.loads(messages.encode(Reply(message.id, None)))["id"] == json.loads(id_)


@pytest.mark.parametrize("id_", ["null", "1.5", "1e2", "true", "[]", "{}"])
def test_other_ids_are_invalid_messages(id_: str) -> None:
    assert refusal(f'{{"jsonrpc":"2.0","id":{id_},"method":"m"}}'.encode()) == (None, "invalid_message")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{", (None, "parse_error")),
        (b"[", (None, "parse_error")),
        (b"nonsense", (None, "parse_error")),
        (b'{"jsonrpc":"2.0","id":1,"method":"m"} x', (None, "parse_error")),
        (b'{"a":"\xff"}', (None, "parse_error")),
        (b"[" * 100_000, (None, "parse_error")),
        (b'{"a":' * 100_000, (None, "parse_error")),
        (b"1", (None, "invalid_message")),
        (b"[]", (None, "invalid_message")),
        (b"{}", (None, "invalid_message")),
        (b'{"id":1,"method":"m"}', (1, "invalid_message")),
        (b'{"jsonrpc":"1.0","id":1,"method":"m"}', (1, "invalid_message")),
        (b'{"jsonrpc":"2.0","id":1}', (1, "invalid_message")),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', (1, "invalid_message")),
    ],
)
def test_what_is_no_request_is_refused(line: bytes, expected: tuple[object, str]) -> None:
    assert refusal(line) == expected


def test_a_reply_is_ignored_since_nothing_was_asked() -> None:
    assert messages.decode(b'{"jsonrpc":"2.0","id":1,"result":{}}') == Ignored()


def test_lone_surrogates_are_read_as_replacement_characters() -> None:
    line = rb'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"\ud800 \ud83d\ude00 \\ud800 \udc00"}}'
    message = messages.decode(line)
    assert isinstance(message, Incoming)
    assert msgspec.json.decode(message.params) == {"a": "\ufffd \U0001f600 \\ud800 \ufffd"}


def test_a_batch_keeps_its_order_and_its_bad_members() -> None:
    batch = messages.decode(b'[{"jsonrpc":"2.0","id":1,"method":"m"},1,{"jsonrpc":"2.0","method":"n"}]')
    assert isinstance(batch, list)
    assert [type(message) for message in batch] == [Incoming, Invalid, Incoming]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    assert isinstance(messages.decode(line), Incoming | Invalid | Ignored | list)


@given(st.text())
def test_output_is_one_line_of_printable_ascii_and_the_same_json(text: str) -> None:
    text = text.encode("utf-16", "replace").decode("utf-16")
    line = messages.encode(Notification("m", {"text": text}))
    assert line.endswith(b"\n")
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    assert json.loads(line)["params"]["text"] == text


def test_an_error_reply_tells_type_category_and_retryability() -> None:
    error = SidecarError("rate_limited", "Slow down.", retry_after_ms=5)
    assert json.loads(messages.encode(ErrorReply(None, error.to_object()))) == {
        "id": None,
        "error": {
            "code": 1204,
            "message": "Slow down.",
            "data": {"type": "rate_limited", "category": "ai", "retryable": True, "retry_after_ms": 5},
        },
        "jsonrpc": "2.0",
    }


def test_a_secret_cannot_be_encoded() -> None:
    with pytest.raises(TypeError):
        messages.encode(Reply(1, Secret("sk-secret")))


@pytest.mark.parametrize(
    ("head", "tail", "expected"),
    [
        (b'{"jsonrpc":"2.0","id":7,"method":"chat.stream","params":{"me', b"...", 7),
        (b'{"method":"m","id":"seven","params":', b"", "seven"),
        (b'{"jsonrpc":"2.0","method":"m","params":{"id":1,', b'"}]},"id":8}', 8),
        (b'{"params":{"id":1,', b'"}]},"jsonrpc":"2.0","id":9,"method":"m"}', 9),
        (b'{"jsonrpc":"2.0","method":"m","params":{"id":1,', b'"id":2}]}}', None),
        (b"xxxx", b"yyyy", None),
    ],
)
def test_the_id_of_an_oversized_line_is_found_at_either_end_but_not_inside_params(
    head: bytes, tail: bytes, expected: object
) -> None:
    assert messages.find_id(head, tail) == expected
