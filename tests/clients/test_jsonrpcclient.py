"""A client from PyPI that nobody here wrote: `jsonrpcclient` makes the requests and reads the replies."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host import Host, script
from jsonrpcclient import Error, Ok, notification_json, parse, request_json

PARTS = ["Once ", "upon ", "a time — 🦔."]


class Foreign:
    """Carries what the client writes and reads over the pipes of a real sidecar."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def request(self, method: str, **params: Any) -> int:
        """Write a request and return its id."""
        text = request_json(method, params=params)
        self._host.write(text.encode() + b"\n")
        id_: int = json.loads(text)["id"]
        return id_

    def notify(self, method: str, **params: Any) -> None:
        self._host.write(notification_json(method, params=params).encode() + b"\n")

    def reply(self, id_: int) -> tuple[Ok | Error, list[Any]]:
        """Return the reply as the client reads it, and the notifications before it."""
        before: list[Any] = []
        message = self._host.reply(id_, before)
        return parse(message), before

    def call(self, method: str, **params: Any) -> Ok | Error:
        response, _ = self.reply(self.request(method, **params))
        return response


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host(tmp_path, "--scripted", env={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}) as host:
        yield host


@pytest.fixture
def client(host: Host) -> Foreign:
    client = Foreign(host)
    answer = client.call("initialize", protocol_version=1, client_info={"name": "jsonrpcclient"})
    assert isinstance(answer, Ok)
    assert answer.result["server_info"]["name"] == "llm-sidecar"
    return client


def texts(chunks: list[Any]) -> str:
    return "".join(chunk["params"]["delta"]["text"] for chunk in chunks)


def test_a_call_has_a_result(client: Foreign) -> None:
    answer = client.call("providers.set_active", config={"provider": "scripted"})
    assert isinstance(answer, Ok)
    assert answer.result["provider"] == "scripted"


@pytest.mark.parametrize(
    ("method", "code", "type_"),
    [("chat.sing", -32601, "method_not_found"), ("providers.remove", -32602, "invalid_params")],
)
def test_an_error_has_its_code_and_its_data(client: Foreign, method: str, code: int, type_: str) -> None:
    answer = client.call(method)
    assert isinstance(answer, Error)
    assert (answer.code, answer.data["type"]) == (code, type_)
    assert answer.message


def test_chunks_come_before_the_reply(client: Foreign) -> None:
    steps = [{"do": "text", "text": part} for part in PARTS]
    answer, before = client.reply(client.request("chat.stream", stream_id="s1", **script(*steps, {"do": "finish"})))
    chunks = [message for message in before if message["method"] == "stream.chunk"]
    assert isinstance(answer, Ok)
    assert [chunk["params"]["seq"] for chunk in chunks] == list(range(answer.result["chunks"]))
    assert texts(chunks) == "".join(PARTS) == answer.result["message"]["content"][0]["text"]


def test_a_cancelled_stream_has_a_result(host: Host, client: Foreign) -> None:
    id_ = client.request("chat.stream", **script({"do": "text", "text": "Once"}, {"do": "hang"}))
    chunk = host.receive()
    client.notify("$/cancelRequest", id=id_)
    answer, rest = client.reply(id_)
    assert isinstance(answer, Ok)
    assert answer.result["finish_reason"]["reason"] == "cancelled"
    assert texts([chunk, *rest]) == "Once"


def test_a_shutdown_is_answered_before_the_end(host: Host, client: Foreign) -> None:
    answer = client.call("shutdown")
    assert isinstance(answer, Ok)
    assert answer.result == {}
    assert host.wait() == 0
