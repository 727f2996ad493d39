"""Reads along with a session, and holds every message against the schema and the guarantees of `protocol/README.md`."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

PROTOCOL = Path(__file__).parents[1] / "protocol"
FIELDS = {"text": "text", "reasoning": "text", "refusal": "text", "tool_call": "arguments"}
LIMITS = {"max_chunk_bytes": 32 << 10}

OPENERS = {"stream_id": ("chat.stream",), "task_id": ("models.load", "models.download")}
NOTHING = (None, [], [None])
"""What stands for params that were left out."""


class Stream:
    """What the chunks of one stream add up to."""

    def __init__(self) -> None:
        self.chunks = 0
        self.parts: dict[int, dict[str, Any]] = {}
        self._texts: dict[int, list[str]] = {}

    def add(self, seq: int, delta: dict[str, Any]) -> None:
        assert seq == self.chunks, f"seq {seq} follows {self.chunks} chunks"
        self.chunks += 1
        if delta["type"] == "part":
            self.parts[delta["index"]] = delta["part"]
            self._texts.pop(delta["index"], None)
        elif field := FIELDS.get(delta["type"]):
            self._grow(delta, delta.get(field, ""))

    def _grow(self, delta: dict[str, Any], text: str) -> None:
        part = self.parts.setdefault(delta["index"], {"type": delta["type"]})
        text.encode()  # raises where a code point was split
        self._texts.setdefault(delta["index"], []).append(text)
        for name in ("id", "name"):
            if name in delta:
                assert name not in part, f"the {name} of a tool call came twice"
                part[name] = delta[name]

    def content(self) -> list[dict[str, Any]]:
        return [self.parts[index] | self._grown(index) for index in sorted(self.parts)]

    def _grown(self, index: int) -> dict[str, Any]:
        texts = self._texts.get(index)
        return {} if texts is None else {FIELDS[self.parts[index]["type"]]: "".join(texts)}


class Witness:
    """Knows what was sent and received; `seen` names the methods, notifications and error types."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._written = b""
        self._calls: dict[str, list[dict[str, Any]]] = {}
        self._streams: dict[str, Stream] = {}
        self._limits = LIMITS
        self._unidentified = False
        self._unreadable = 0

    def sent(self, data: bytes) -> None:
        """Take note of bytes that went to the sidecar."""
        *lines, self._written = (self._written + data).split(b"\n")
        for line in lines:
            try:
                messages = list(_messages(line))
            except (ValueError, RecursionError):
                self._unreadable += 1
                continue
            for message in messages:
                self._called(message)

    def _called(self, message: dict[str, Any]) -> None:
        self.seen |= {f"method:{message.get('method')}", f"notification:{message.get('method')}"}
        is_reply = "method" not in message and ("result" in message or "error" in message)
        if _is_id(message.get("id")) and not is_reply:
            self._calls.setdefault(_key(message["id"]), []).append(message)

    def ended(self) -> None:
        """Take note that nothing more will be sent."""
        self.sent(b"\n" if self._written else b"")

    def received(self, line: bytes) -> Any:
        """Return the message of a line, which must obey the protocol."""
        assert all(0x20 <= byte <= 0x7E for byte in line), f"not printable ASCII: {line[:200]!r}"
        message = json.loads(line)
        for one in message if isinstance(message, list) else [message]:
            assert one["jsonrpc"] == "2.0"
            if "method" in one:
                self._notified(one["method"], one["params"], len(line) + 1)
            else:
                self._answered(one)
        return message

    def all_answered(self) -> None:
        """Require that nothing is left without a reply."""
        assert self._unidentified or not self._calls, f"never answered: {list(self._calls)}"

    def _notified(self, method: str, params: dict[str, Any], size: int) -> None:
        self.seen.add(f"notification:{method}")
        _validate(_notification_params()[method], params)
        subject = "task_id" if method == "task.progress" else "stream_id"
        id_ = params[subject]
        assert any(_subject_id(call, subject) == id_ for calls in self._calls.values() for call in calls), (
            f"{method} for {id_}, which is not open"
        )
        if method == "stream.chunk":
            assert params["delta"]["type"] == "part" or size <= self._limits["max_chunk_bytes"]
            self._streams.setdefault(id_, Stream()).add(params["seq"], params["delta"])

    def _answered(self, reply: dict[str, Any]) -> None:
        _validate("ErrorReply" if "error" in reply else "Reply", reply)
        if "error" in reply:
            self.seen.add(f"error:{reply['error']['data']['type']}")
        if reply["id"] is None:
            self._unidentified = True
            return
        call = self._settle(reply)
        if call is None:
            return
        if "result" in reply:
            row = _methods()[call["method"]]
            _validate(row["params"], {} if call.get("params") in NOTHING else call["params"])
            _validate(row["result"], reply["result"])
            self._limits = reply["result"].get("limits", self._limits)
        if call.get("method") == "chat.stream":
            self._ended(_subject_id(call, "stream_id"), reply)

    def _settle(self, reply: dict[str, Any]) -> dict[str, Any] | None:
        """Forget the call that a reply belongs to; the last one, where the id was taken already."""
        key = _key(reply["id"])
        calls = self._calls.get(key)
        if not calls and "error" in reply and self._unreadable:
            self._unreadable -= 1
            return None
        assert calls, f"a reply to nobody, or a second one: {reply}"
        duplicate = "error" in reply and reply["error"]["data"]["type"] == "duplicate_id"
        call = calls.pop(-1 if duplicate else 0)
        if not calls:
            del self._calls[key]
        return call

    def _ended(self, stream_id: str | None, reply: dict[str, Any]) -> None:
        end = reply["result"] if "result" in reply else reply["error"]["data"]
        if stream_id is None or end.get("chunks") is None:
            return
        stream = self._streams.pop(stream_id, Stream())
        assert end["chunks"] == stream.chunks, f"{end['chunks']} chunks announced, {stream.chunks} received"
        message = end.get("message") or end.get("partial")
        if message is not None:
            assert _plain(message["content"]) == _plain(stream.content())


def _plain(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return parts with the defaults that a sender may leave out."""
    return [{"text": ""} | part if part["type"] == "reasoning" else part for part in content]


def _messages(line: bytes) -> Iterator[dict[str, Any]]:
    message = json.loads(line.removeprefix(b"\xef\xbb\xbf") or b"[]")
    for one in message if isinstance(message, list) else [message]:
        if isinstance(one, dict):
            yield one


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _key(id_: Any) -> str:
    return json.dumps(id_)


def _subject_id(call: dict[str, Any], name: str) -> str | None:
    """Return the id of what a call opens, a stream or a task, as the caller chose it or by default."""
    params = call.get("params")
    if call.get("method") not in OPENERS[name] or not isinstance(params, dict):
        return None
    return params.get(name) or str(call["id"])


def _validate(definition: str, value: Any) -> None:
    _validator(definition).validate(value)


@cache
def _definitions() -> Any:
    return json.loads((PROTOCOL / "schema.json").read_bytes())["$defs"]


@cache
def _validator(definition: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": _definitions()})


@cache
def _meta() -> Any:
    return json.loads((PROTOCOL / "meta.json").read_bytes())


@cache
def _methods() -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in _meta()["methods"]}


@cache
def _notification_params() -> dict[str, str]:
    return {row["name"]: row["params"] for row in _meta()["notifications"]}
