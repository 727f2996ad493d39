"""Servers that want to hurt, through the real process: how each attempt ends, and what it costs in memory and time."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
import upstream
from anyio.lowlevel import checkpoint
from failing_upstream import CHUNKED, HEAD, WIRES, chunked, raw
from host import Host, session
from provider_wires import DONE, chat_chunk, data

Json = dict[str, Any]

KEY = "sk-test-000000000000"
PIECE_BYTES = 256 << 10
LONG_S = 20.0
"""More than the longest takes."""
PING_S = 1.0
"""How soon a ping is answered, whatever goes on."""

OPEN = HEAD + b"\r\n"
"""The head of a stream that ends with its connection."""
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
SOON = {"timeouts": {"first_token": 400, "idle": 400}}
QUESTION = {"provider": "here", "messages": [{"role": "user", "content": "Hi"}], "retry": {"max_retries": 0}}
MB = 1 << 20


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with session(tmp_path_factory.mktemp("home")) as host:
        yield host


def memory(host: Host, name: str) -> int:
    """Return a figure of the process's memory in bytes: `VmRSS` is what it has now, `VmHWM` the most it ever had."""
    status = Path(f"/proc/{host.process.pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith(name))


@dataclass
class Outcome:
    """How a call ended, the most memory it took at any time, and the longest that a ping waited meanwhile."""

    reply: Json
    said: str
    grown: int
    slowest_ping: float
    seconds: float

    @property
    def ending(self) -> str:
        if "error" in self.reply:
            return str(self.reply["error"]["data"]["type"])
        result = self.reply["result"]
        return str(result["finish_reason"]["reason"]) if "finish_reason" in result else "ok"


def attempt(host: Host, method: str, params: Json) -> Outcome:
    """Call a method, and ping all the while."""
    Path(f"/proc/{host.process.pid}/clear_refs").write_text("5")  # the peak starts anew
    before, begun = memory(host, "VmRSS"), time.monotonic()
    id_ = host.send(method, params)
    text: list[str] = []
    slowest, ping, pinged = 0.0, host.send("ping"), time.monotonic()
    while (message := host.receive()).get("id") != id_:
        assert time.monotonic() - begun < LONG_S, "the call does not end"
        if message.get("id") == ping:
            slowest = max(slowest, time.monotonic() - pinged)
            ping, pinged = host.send("ping"), time.monotonic()
        elif message.get("method") == "stream.chunk":
            text.append(message["params"]["delta"].get("text", ""))
    seconds = time.monotonic() - begun
    host.reply(ping)
    slowest = max(slowest, time.monotonic() - pinged)
    return Outcome(message, "".join(text), memory(host, "VmHWM") - before, slowest, seconds)


def configure(host: Host, server: upstream.Server, dialect: str = "openai_chat") -> None:
    config = {"base_url": f"{server.url}/v1", "model": "m-1", "api_key": KEY, "id": "here"}
    host.call("providers.configure", {"config": WIRES[dialect].config | config})


def ask(host: Host, handler: upstream.Handler, dialect: str = "openai_chat", **options: Any) -> Outcome:
    with upstream.running(handler) as server:
        configure(host, server, dialect)
        return attempt(host, "chat.stream", QUESTION | options)


def flood(*start: bytes, piece: bytes) -> upstream.Handler:
    """Send `start`, then `piece` for as long as anybody listens."""
    many = piece * max(1, PIECE_BYTES // len(piece))

    async def handler(exchange: upstream.Exchange) -> None:
        for one in start:
            await exchange.raw(one)
        while not exchange.connection.gone.is_set():
            await exchange.raw(many)
            await checkpoint()  # what was lost is told between two turns of the loop

    return handler


def trickle(start: bytes, piece: bytes, pause: float = 0.02) -> upstream.Handler:
    """Send `start`, then `piece` byte by byte, with pauses, over and over."""

    async def handler(exchange: upstream.Exchange) -> None:
        if start:
            await exchange.raw(start)
        while not exchange.connection.gone.is_set():
            for byte in piece:
                await exchange.raw(bytes([byte]))
                await anyio.sleep(pause)

    return handler


@dataclass(frozen=True)
class Attack:
    """What a server does, how that ends, and how many MB it may take."""

    handler: upstream.Handler
    ending: str
    grown: int = 16
    options: Json = field(default_factory=dict)


def check(attack: Attack, outcome: Outcome) -> None:
    assert outcome.ending == attack.ending
    assert outcome.grown < attack.grown * MB
    assert outcome.slowest_ping < PING_S


WORD = data(chat_chunk({"content": "a"}))


ENDLESS = {
    "a line": Attack(flood(OPEN, b"data: ", piece=b"x"), "malformed_response", 64),
    "lines of an event": Attack(flood(OPEN, piece=b"data: x\n"), "malformed_response", 64),
    "lines of an event with nothing in them": Attack(flood(OPEN, piece=b"data\n"), "malformed_response", 64),
    "comments in one event": Attack(flood(OPEN, piece=b":\n"), "malformed_response", 64),
    "comments": Attack(flood(OPEN, piece=b": x\n\n"), "timeout", options=SOON),
    "empty events": Attack(flood(OPEN, piece=b"data:\n\n"), "timeout", options=SOON),
    "line ends": Attack(flood(OPEN, piece=b"\n"), "timeout", options=SOON),
    "carriage returns": Attack(flood(OPEN, piece=b"\r"), "timeout", options=SOON),
    "JSON lines": Attack(flood(OPEN, piece=b"{\n"), "malformed_response", 64),
    "empty objects": Attack(flood(OPEN, piece=b"data: {}\n\n"), "timeout", options=SOON),
    "headers": Attack(flood(HEAD, piece=b"x: y\r\n"), "malformed_response"),
    "a header": Attack(flood(HEAD, b"x: ", piece=b"y"), "malformed_response"),
    "a status": Attack(flood(b"HTTP/1.1 200 ", piece=b"y"), "malformed_response"),
    "interim answers": Attack(flood(piece=b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"), "malformed_response"),
    "an extension of a chunk": Attack(flood(CHUNKED + b"1;", piece=b"x"), "stream_interrupted"),
    "trailers": Attack(flood(CHUNKED + b"0\r\n", piece=b"x: y\r\n"), "stream_interrupted"),
    "chunks of a byte": Attack(flood(CHUNKED, piece=b"1\r\n:\r\n"), "malformed_response", 64),
    "an answer": Attack(flood(WHOLE + b"\r\n", piece=b" "), "malformed_response", 256),
    "words": Attack(flood(OPEN, piece=WORD), "malformed_response", 512),
}


@pytest.mark.parametrize("attack", ENDLESS.values(), ids=ENDLESS)
def test_what_does_not_end_is_ended(host: Host, attack: Attack) -> None:
    check(attack, ask(host, attack.handler, **attack.options))


def streamed(*pieces: bytes) -> upstream.Handler:
    """Answer with a stream of these pieces, and close."""
    return raw(OPEN + b"".join(pieces))


def answered(body: bytes, *headers: bytes) -> upstream.Handler:
    """Answer with JSON, and close."""
    return raw(WHOLE + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body)


def calls(number: int, *, apart: bool) -> bytes:
    """Return fragments of tool calls, all of one or each of another."""
    return b"".join(
        data(chat_chunk({"tool_calls": [{"index": n if apart else 0, "function": {"name": "f", "arguments": "1"}}]}))
        for n in range(number)
    )


def counted(counts: str) -> bytes:
    return WORD + b'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":%b}\n\n' % counts.encode() + DONE


FRAGMENT = data({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "1"}}]}}]})
STOP = data(chat_chunk({}, "stop"), end=DONE)
DEEP = b"[" * 100_000
MANY = 1_000_000
CHAT = WIRES["openai_chat"].answer

LARGE = {
    "a million words": Attack(streamed(WORD * MANY, STOP), "stop", 256),
    "a million fragments of a call": Attack(streamed(FRAGMENT * MANY, STOP), "tool_calls", 256),
    "a hundred thousand calls": Attack(streamed(calls(100_000, apart=True), STOP), "malformed_response", 128),
    "a hundred thousand calls at once": Attack(
        streamed(data({"choices": [{"delta": {"tool_calls": [{"index": n} for n in range(100_000)]}}]}), STOP),
        "malformed_response",
        256,
    ),
    "millions of calls at once": Attack(
        streamed(b'data: {"choices":[{"delta":{"tool_calls":[{}' + b",{}" * 5_000_000 + b"]}}]}\n\n", STOP),
        "malformed_response",
        128,
    ),
    "millions of lines in an event": Attack(streamed(b"data\n" * 3_000_000, b"\n"), "malformed_response", 128),
    "millions of comments in an event": Attack(streamed(b":\n" * 8_000_000, b"\n", *CHAT), "malformed_response", 128),
    "an event of lists in lists": Attack(
        streamed(b'data: {"choices":' + DEEP + b"]" * len(DEEP) + b"}\n\n"), "malformed_response"
    ),
    "arguments of lists in lists": Attack(
        streamed(
            data(
                chat_chunk(
                    {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": DEEP.decode()}}]}
                )
            ),
            STOP,
        ),
        "tool_calls",
    ),
    "an answer of lists in lists": Attack(
        answered(b'{"choices":' + DEEP + b"]" * len(DEEP) + b"}"), "malformed_response"
    ),
    "an answer of millions of objects": Attack(
        answered(b'{"choices":[{"message":{"tool_calls":[{}' + b",{}" * 10_000_000 + b"]}}]}"),
        "malformed_response",
        256,
    ),
    "words compressed a thousandfold": Attack(
        raw(OPEN[:-2] + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"data: " + b"x" * 100_000_000)),
        "malformed_response",
        64,
    ),
}


@pytest.mark.parametrize("attack", LARGE.values(), ids=LARGE)
def test_what_is_too_much_is_refused_and_what_is_merely_much_is_taken(host: Host, attack: Attack) -> None:
    check(attack, ask(host, attack.handler, **attack.options))


LISTS = {
    "lists in lists": (answered(b'{"data":' + DEEP + b"]" * len(DEEP) + b"}"), "malformed_response", 16),
    "a compressed one": (
        answered(gzip.compress(b'{"data":[' + b" " * 500_000_000), b"content-encoding: gzip"),
        "malformed_response",
        128,
    ),
    "a million models": (
        answered(b'{"data":[' + b",".join(b'{"id":"%d"}' % n for n in range(MANY)) + b"]}"),
        "malformed_response",
        128,
    ),
    "a compressed million": (
        answered(gzip.compress(b'{"data":[{"id":"a"}' + b',{"id":"a"}' * MANY + b"]}"), b"content-encoding: gzip"),
        "malformed_response",
        128,
    ),
    "no list": (answered(b"[" * MANY), "malformed_response", 16),
    "another compression": (answered(b"x", b"content-encoding: br"), "malformed_response", 16),
    "a damaged one": (
        answered(zlib.compress(b"{}")[:-6] + b"xxxxxx", b"content-encoding: gzip"),
        "malformed_response",
        16,
    ),
}


@pytest.mark.parametrize(("handler", "ending", "grown"), LISTS.values(), ids=LISTS)
def test_a_list_of_models_has_a_bound(host: Host, handler: upstream.Handler, ending: str, grown: int) -> None:
    with upstream.running(handler) as server:
        configure(host, server)
        check(Attack(handler, ending, grown), attempt(host, "models.list", {"provider": "here"}))


TRICKLES = {
    "a head": trickle(HEAD, b"x: y\r\n"),
    "a comment": trickle(OPEN, b": x\n\n"),
    "words": trickle(OPEN, b"data: "),
    "a whole answer": trickle(WHOLE + b"\r\n", b" "),
    "a size": trickle(CHUNKED, b"0"),
    "interim answers": trickle(b"", b"HTTP/1.1 103 Early\r\n\r\n"),
}


@pytest.mark.parametrize("handler", TRICKLES.values(), ids=TRICKLES)
def test_bytes_that_drip_do_not_put_a_deadline_off(host: Host, handler: upstream.Handler) -> None:
    outcome = ask(host, handler, **SOON)
    check(Attack(handler, "timeout", 4), outcome)
    assert outcome.seconds < 3


SPELLED = b"".join(CHAT)
ODD = {
    "UTF-16": (streamed(SPELLED.decode().encode("utf-16")), "stream_interrupted", ""),
    "UTF-32": (streamed(SPELLED.decode().encode("utf-32")), "stream_interrupted", ""),
    "a byte order mark": (streamed(b"\xef\xbb\xbf", SPELLED), "stop", "Hello"),
    "Latin-1": (streamed(SPELLED.replace(b"Hel", b"H\xe9l")), "stop", "H\ufffdllo"),
    "NUL in a word": (streamed(SPELLED.replace(b"Hel", b"H\\u0000l")), "stop", "H\0llo"),
    "NUL in the JSON": (streamed(SPELLED.replace(b'"Hel"', b'\0"Hel"')), "malformed_response", ""),
    "NUL between events": (streamed(b"\0\0\n\n", SPELLED), "stop", "Hello"),
    "NUL in a header": (raw(HEAD + b"x: \0\r\n\r\n" + SPELLED), "malformed_response", ""),
    "half a character": (streamed(SPELLED.replace(b"Hel", b"H\\ud800l")), "stop", "H\ufffdllo"),
    "an answer in UTF-16": (answered('{"choices":[]}'.encode("utf-16")), "malformed_response", ""),
    "HTTP/0.9": (raw(SPELLED), "malformed_response", ""),
    "HTTP/2": (raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"), "malformed_response", ""),
    "the preface of HTTP/2": (raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "malformed_response", ""),
    "an alert of TLS": (raw(b"\x15\x03\x01\x00\x02\x02\x46"), "malformed_response", ""),
    "a request": (raw(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"), "malformed_response", ""),
    "another protocol from now on": (
        raw(b"HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"),
        "malformed_response",
        "",
    ),
    "two answers": (raw(chunked(*CHAT) + chunked(*CHAT)), "stop", "Hello"),
    "a chunk of all there is": (raw(CHUNKED + b"ffffffffffffffff\r\n" + SPELLED), "stop", "Hello"),
    "a length of all there is": (
        raw(HEAD + b"content-length: 18446744073709551615\r\n\r\n" + SPELLED),
        "stop",
        "Hello",
    ),
    "a length beyond all there is": (
        raw(HEAD + b"content-length: 99999999999999999999\r\n\r\n" + SPELLED),
        "malformed_response",
        "",
    ),
}
"""Answers that no client should get, how each ends, and what is taken of it."""


@pytest.mark.parametrize(("handler", "ending", "said"), ODD.values(), ids=ODD)
def test_what_is_no_answer_is_told_as_such(host: Host, handler: upstream.Handler, ending: str, said: str) -> None:
    outcome = ask(host, handler)
    assert (outcome.ending, outcome.said) == (ending, said)


COUNTS = {
    "negative": ('{"prompt_tokens":-5,"completion_tokens":-7}', 0, 0),
    "floats": ('{"prompt_tokens":5.9,"completion_tokens":-0.5}', 5, 0),
    "beyond what JSON carries": (
        '{"prompt_tokens":9007199254740993,"completion_tokens":18446744073709551615}',
        9007199254740991,
        9007199254740991,
    ),
    "without end": ('{"prompt_tokens":1e300,"completion_tokens":1e30}', 9007199254740991, 9007199254740991),
    "beyond all numbers": ('{"prompt_tokens":1e999,"completion_tokens":%s}' % ("9" * 400), 1, 9007199254740991),
    "words": ('{"prompt_tokens":"many","completion_tokens":[]}', 1, 1),
}


@pytest.mark.parametrize(("counts", "input_", "output"), COUNTS.values(), ids=COUNTS)
def test_counts_that_cannot_be_are_brought_into_bounds(host: Host, counts: str, input_: int, output: int) -> None:
    outcome = ask(host, streamed(counted(counts)))
    assert outcome.ending == "stop", outcome.reply
    usage = outcome.reply["result"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (input_, output)


def test_an_answer_to_no_question_yet_is_taken_for_one(host: Host) -> None:
    """Servers that refuse connections answer so."""
    early = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = WIRES["openai_chat"].config | {"base_url": f"http://127.0.0.1:{listener.getsockname()[1]}/v1"}
        host.call("providers.configure", {"config": config | {"model": "m-1", "api_key": KEY, "id": "here"}})
        thread = threading.Thread(target=greet, args=(listener, early))
        thread.start()
        outcome = attempt(host, "chat.stream", QUESTION)
        thread.join()
    assert outcome.ending == "provider_overloaded"


def greet(listener: socket.socket, greeting: bytes) -> None:
    """Say something to the first who comes, before it is spoken to, and wait until it leaves."""
    connection, _ = listener.accept()
    with connection:
        connection.sendall(greeting)
        while connection.recv(1 << 16):
            continue


def test_a_server_that_wants_encryption_is_no_plain_one(host: Host, tmp_path: Path) -> None:
    context = upstream.tls_context(upstream.certificate(tmp_path))
    with upstream.running(raw(b""), context) as server:
        server.url = server.url.replace("https://localhost", "http://127.0.0.1")
        configure(host, server)
        outcome = attempt(host, "chat.stream", QUESTION)
    assert outcome.ending in {"connect", "malformed_response"}
