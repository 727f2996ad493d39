import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

import anyio
import pytest
import upstream
from upstream import Exchange, Handler

from sidecar import __version__
from sidecar.dialects import pages
from sidecar.dialects.openai_chat import DIALECT
from sidecar.engines import answers, reading
from sidecar.engines.http import HttpEngine
from sidecar.engines.network import HttpTransport
from sidecar.engines.transport import Incoming, Outgoing
from sidecar.handler import Call, Target
from sidecar.providers import PROVIDERS
from sidecar.schema.chat import ChatRequest, FinishReason, Message, Origin, Reasoning, Text
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent, TextDelta, UsageDelta
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import BaseConfig
from sidecar.schema.secret import Secret
from sidecar.schema.usage import Cost, Usage

pytestmark = pytest.mark.anyio

DIALECTS = {"openai_chat": DIALECT}
reports: list[Status] = []
CONNECTING, WAITING = Status(state="connecting"), Status(state="waiting_first_token")


@pytest.fixture
async def engine() -> AsyncIterator[HttpEngine]:
    made = HttpEngine(HttpTransport(), DIALECTS)
    yield made
    await made.close()


def target(url: str, kind: str = "openai_compatible", key: str | None = None, **config: Any) -> Target:
    record = PROVIDERS[kind]
    made: BaseConfig = record.config(base_url=url, **config)
    secret = Secret(key) if key else None
    return Target(id="here", provider=record, config=made, endpoint=url, model="m-1", key=secret)


def call(aim: Target, **request: Any) -> Call:
    question = ChatRequest(messages=[Message("user", "Hi")], **request)
    return Call(request=question, target=aim, report=reports.append)


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"id": "c", "model": "m-1", "choices": choices, **more}).encode() + b"\n\n"


HELLO = (chunk({"role": "assistant", "content": "Hel"}), chunk({"content": "lo"}), chunk({}, "stop"))
DONE = b"data: [DONE]\n\n"
WHOLE = {
    "id": "c",
    "model": "m-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}


async def ask(engine: HttpEngine, question: Call) -> list[StreamEvent]:
    events: list[StreamEvent] = []

    async def emit(event: StreamEvent) -> None:
        events.append(event)

    with anyio.fail_after(10):
        await engine.chat(question, emit)
    return events


async def refusal(engine: HttpEngine, aim: Target) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        await ask(engine, call(aim))
    return caught.value


async def test_a_stream_becomes_events_and_a_completion(engine: HttpEngine) -> None:
    usage = chunk(usage={"prompt_tokens": 3, "completion_tokens": 2})
    async with upstream.serve(upstream.events(*HELLO, usage, DONE)) as server:
        question = call(target(server.url + "/v1"))
        events = await ask(engine, question)
    counts = UsageDelta(input_tokens=3, output_tokens=2)
    assert events == [
        CONNECTING,
        WAITING,
        TextDelta(0, "Hello"),
        counts,
        FinishReason("stop", "stop"),
    ]
    whole = question.completion()
    assert whole.message == Message("assistant", [Text("Hello")], Origin("here", server.url + "/v1", "m-1"))
    assert (whole.finish_reason, whole.usage, whole.cost) == (
        FinishReason("stop", "stop"),
        Usage(input_tokens=3, output_tokens=2),
        Cost(amount=None),
    )


async def test_the_question_is_posted_below_the_base_url(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.events(*HELLO, DONE)) as server:
        await ask(engine, call(target(server.url + "/deep/v1/", key="sk-1")))
        request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/deep/v1/chat/completions")
    assert request.headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": f"llm-sidecar/{__version__}",
        "accept": "text/event-stream, application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
        "authorization": "Bearer sk-1",
    }
    assert request.json()["stream"] is True


async def test_the_key_is_in_its_header_and_nowhere_else(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.events(*HELLO, DONE)) as server:
        await ask(engine, call(target(server.url, key=" sk-1234\n")))
        request = server.requests[0]
    assert request.headers.pop("authorization") == "Bearer sk-1234"
    assert "sk-1234" not in repr(request)


async def test_headers_of_the_configuration_are_sent_and_win(engine: HttpEngine) -> None:
    headers = {"X-Team": Secret("blue"), "Authorization": Secret("Basic abc")}
    async with upstream.serve(upstream.events(*HELLO, DONE)) as server:
        await ask(engine, call(target(server.url, key="sk-1", headers=headers)))
        sent = server.requests[0].headers
    assert (sent["x-team"], sent["authorization"]) == ("blue", "Basic abc")


async def test_a_header_that_would_break_the_request_is_refused(engine: HttpEngine) -> None:
    error = await refusal(engine, target("http://127.0.0.1:9", headers={"Content-Length": Secret("0")}))
    assert (error.type, error.message) == ("invalid_params", "The header Content-Length cannot be set.")


async def test_warnings_of_the_encoding_come_first(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.events(*HELLO, DONE)) as server:
        question = call(target(server.url), top_k=5)
        events = await ask(engine, question)
    assert [warning.param for warning in question.transcript.warnings] == ["top_k"]
    assert events[:2] == [question.transcript.warnings[0], CONNECTING]


async def test_thinking_is_told_once(engine: HttpEngine) -> None:
    thoughts = [chunk({"reasoning": "Hm"}), chunk({"reasoning": "m."})]
    async with upstream.serve(upstream.events(*thoughts, *HELLO, DONE)) as server:
        question = call(target(server.url))
        events = await ask(engine, question)
    assert events[2:5] == [Status(state="thinking"), ReasoningDelta(0, "Hmm."), TextDelta(1, "Hello")]
    assert [event for event in events if isinstance(event, Status)] == [
        CONNECTING,
        WAITING,
        Status(state="thinking"),
    ]
    assert question.completion().message.content == [Reasoning("Hmm."), Text("Hello")]


async def test_waiting_is_told_before_the_server_answers(engine: HttpEngine) -> None:
    told = anyio.Event()

    async def emit(event: StreamEvent) -> None:
        if event == WAITING:
            told.set()

    async def handler(exchange: Exchange) -> None:
        await told.wait()
        await upstream.events(*HELLO, DONE)(exchange)

    async with upstream.serve(handler) as server:
        with anyio.fail_after(5):
            await engine.chat(call(target(server.url)), emit)


async def test_events_cut_anywhere_are_the_same_events(engine: HttpEngine) -> None:
    wire = b"".join((*HELLO, DONE))
    pieces = [wire[start : start + 7] for start in range(0, len(wire), 7)]
    async with upstream.serve(upstream.events(*pieces)) as server:
        events = await ask(engine, call(target(server.url)))
    assert events[2:] == [TextDelta(0, "Hel"), TextDelta(0, "lo"), FinishReason("stop", "stop")]


async def test_a_whole_answer_is_read_though_a_stream_was_asked_for(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer(WHOLE)) as server:
        question = call(target(server.url))
        events = await ask(engine, question)
    assert events[2:] == [
        TextDelta(0, "Hello"),
        UsageDelta(input_tokens=3, output_tokens=1),
        FinishReason("stop", "stop"),
    ]


async def test_a_whole_answer_may_be_an_error(engine: HttpEngine) -> None:
    body = {"error": {"code": 502, "message": "Upstream is down"}}
    async with upstream.serve(upstream.answer(body)) as server:
        error = await refusal(engine, target(server.url))
    assert (error.type, error.details["provider"], error.details["model"]) == ("server_error", "here", "m-1")


async def test_a_whole_answer_has_a_bound(engine: HttpEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_ANSWER_BYTES", 50)
    async with upstream.serve(upstream.answer(WHOLE)) as server:
        error = await refusal(engine, target(server.url))
    assert (error.type, error.message) == ("malformed_response", "The provider's answer is too large to be read.")


@pytest.mark.parametrize(("bound", "most"), [("MAX_STREAM_BYTES", 400), ("MAX_PARTS", 1)])
async def test_a_streamed_answer_has_bounds(
    engine: HttpEngine, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(answers, bound, most)
    parts = [chunk({"reasoning": "Hm."}), *[chunk({"content": "a"})] * 9]
    async with upstream.serve(upstream.events(*parts, chunk({}, "stop"))) as server:
        error = await refusal(engine, target(server.url))
    assert error.type == "malformed_response"


async def test_a_list_of_models_has_bounds(engine: HttpEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"data": [{"id": "a"}, {"id": "b"}]}
    async with upstream.serve(upstream.answer(listed)) as server:
        for module, bound, most in ((reading, "MAX_LISTING_BYTES", 30), (pages, "MAX_MODELS", 1)):
            with monkeypatch.context() as patch:
                assert len(await engine.models(target(server.url))) == 2
                patch.setattr(module, bound, most)
                with pytest.raises(SidecarError) as caught:
                    await engine.models(target(server.url))
                assert caught.value.type == "malformed_response"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "request_rejected"), (401, "authentication"), (429, "rate_limited"), (500, "server_error")],
)
async def test_a_status_becomes_an_error(engine: HttpEngine, status: int, kind: str) -> None:
    body = {"error": {"message": "It is so.", "code": None}}
    async with upstream.serve(upstream.answer(body, status, {"x-request-id": "r-7"})) as server:
        error = await refusal(engine, target(server.url, key="sk-1234"))
    assert error.type == kind
    assert {name: error.details[name] for name in ("provider", "model", "http_status", "provider_request_id")} == {
        "provider": "here",
        "model": "m-1",
        "http_status": status,
        "provider_request_id": "r-7",
    }
    assert "sk-1234" not in repr((error.message, error.details))


async def test_an_error_without_an_end_is_told_by_its_status(
    engine: HttpEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(503, upstream.JSON)
        await exchange.hang()

    monkeypatch.setattr(answers, "ERROR_SECONDS", 0.01)
    async with upstream.serve(handler) as server:
        error = await refusal(engine, target(server.url))
    assert error.details["http_status"] == 503


async def test_an_error_cut_short_is_told_by_its_status(engine: HttpEngine) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(401, upstream.JSON)
        await exchange.send(b'{"error":')
        await exchange.cut("rst")

    async with upstream.serve(handler) as server:
        assert (await refusal(engine, target(server.url))).type == "authentication"


async def test_an_endless_error_is_read_up_to_a_bound(engine: HttpEngine) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(500, upstream.JSON)
        while not exchange.connection.gone.is_set():
            await exchange.send(b"x" * 65536)

    async with upstream.serve(handler) as server:
        assert (await refusal(engine, target(server.url))).type == "server_error"


async def test_an_error_in_mid_stream_ends_it(engine: HttpEngine) -> None:
    broken = b'data: {"error":{"message":"Overloaded","code":503}}\n\n'
    async with upstream.serve(upstream.events(HELLO[0], broken)) as server:
        question = call(target(server.url))
        with pytest.raises(SidecarError) as caught:
            await ask(engine, question)
    assert caught.value.details["provider"] == "here"
    assert question.transcript.message().content == [Text("Hel")]


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_stream_cut_short_is_interrupted_and_leaves_what_came(engine: HttpEngine, how: Any) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(HELLO[0])
        await exchange.cut(how)

    async with upstream.serve(handler) as server:
        question = call(target(server.url))
        with pytest.raises(SidecarError) as caught:
            await ask(engine, question)
    assert caught.value.type == "stream_interrupted"
    assert question.transcript.message().content == [Text("Hel")]


async def test_a_stream_that_ends_without_a_finish_reason_is_interrupted(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.events(HELLO[0])) as server:
        assert (await refusal(engine, target(server.url))).type == "stream_interrupted"


async def test_an_empty_stream_is_interrupted(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.events(DONE)) as server:
        assert (await refusal(engine, target(server.url))).type == "stream_interrupted"


async def test_a_connection_lost_behind_the_finish_reason_costs_nothing(engine: HttpEngine) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        for piece in HELLO:
            await exchange.send(piece)
        await exchange.cut("fin")

    async with upstream.serve(handler) as server:
        question = call(target(server.url))
        await ask(engine, question)
    assert question.completion().message.content == [Text("Hello")]


async def test_a_stream_left_open_behind_the_finish_reason_is_ended(
    engine: HttpEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        for piece in HELLO:
            await exchange.send(piece)
        await exchange.hang()

    monkeypatch.setattr(answers, "LINGER_SECONDS", 0.01)
    async with upstream.serve(handler) as server:
        question = call(target(server.url))
        await ask(engine, question)
    assert question.completion().finish_reason == FinishReason("stop", "stop")


async def test_questions_in_a_row_use_one_connection(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.events(*HELLO, DONE)) as server:
        for _ in range(10):
            await ask(engine, call(target(server.url)))
        assert server.connections == 1


async def test_cancelling_closes_the_providers_connection(engine: HttpEngine) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(HELLO[0])
        await exchange.hang()

    async with upstream.serve(handler) as server:
        question = call(target(server.url))
        with anyio.CancelScope() as scope:

            async def emit(event: StreamEvent) -> None:
                if isinstance(event, TextDelta):
                    scope.cancel()

            await engine.chat(question, emit)
        with anyio.fail_after(0.1):
            await server.gone.wait()
    assert question.transcript.message().content == [Text("Hel")]


async def test_a_web_page_is_no_answer(engine: HttpEngine) -> None:
    page = upstream.answer(b"<html>Welcome</html>", headers={"content-type": "text/html; charset=utf-8"})
    async with upstream.serve(page) as server:
        error = await refusal(engine, target(server.url))
    assert (error.type, "<html>" in error.message) == ("malformed_response", False)
    assert error.details["hint"] == f"base_url may lack its version: {server.url}/v1"


async def test_nothing_found_hints_at_the_address(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer(b"404 page not found", 404)) as server:
        error = await refusal(engine, target(server.url + "/v1/chat/completions"))
    assert error.details["hint"] == f"base_url ends before /chat/completions: {server.url}/v1"


async def test_a_question_is_never_redirected(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer(b"", 308, {"location": "/v2/ask?token=1"})) as server:
        error = await refusal(engine, target(server.url, key="sk-1"))
        assert len(server.requests) == 1
    assert (error.type, error.details["http_status"]) == ("request_rejected", 308)
    assert error.details["hint"] == f"The server points to {server.url}/v2/ask"


async def test_another_server_is_not_followed_nor_given_the_key(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer({"data": []})) as other:
        pointer = upstream.answer(b"", 307, {"location": other.url + "/v1/models"})
        async with upstream.serve(pointer) as server:
            aim = target(server.url, key="sk-1")
            error = await refusal(engine, aim)
            with pytest.raises(SidecarError) as caught:
                await engine.models(aim)
    assert (error.type, caught.value.type) == ("origin_not_allowed", "origin_not_allowed")
    assert error.message == f"127.0.0.1:{server.port} redirects to {other.url}, which was sent nothing."
    assert other.requests == []


class Elsewhere:
    """Stands for the whole network: notes what would be sent, and cannot be reached."""

    def __init__(self) -> None:
        self.asked: list[Outgoing] = []

    def open(self, request: Outgoing) -> "Elsewhere":
        self.asked.append(request)
        return self

    async def __aenter__(self) -> Incoming:
        raise SidecarError("connect")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    async def resolve(self, url: str) -> None: ...
    async def reach(self, url: str) -> None: ...
    async def secure(self, url: str) -> None: ...
    async def close(self) -> None: ...


@pytest.mark.parametrize(
    ("url", "key", "type_"),
    [
        ("http://lan.example/v1", "sk-1", "origin_not_allowed"),
        ("http://192.168.0.9:8000/v1", "sk-1", "origin_not_allowed"),
        ("http://lan.example/v1", None, "connect"),
        ("https://api.example/v1", "sk-1", "connect"),
        ("http://localhost:1/v1", "sk-1", "connect"),
        ("http://[::1]:1/v1", "sk-1", "connect"),
        ("http://me:pass@api.example/v1", None, "invalid_params"),
        ("ftp://api.example/v1", None, "invalid_params"),
    ],
)
async def test_a_key_goes_unencrypted_to_this_machine_only(url: str, key: str | None, type_: str) -> None:
    network = Elsewhere()
    error = await refusal(HttpEngine(network, DIALECTS), target(url, key=key))
    assert (error.type, len(network.asked)) == (type_, 1 if type_ == "connect" else 0)


async def test_a_secret_header_counts_as_a_key() -> None:
    error = await refusal(HttpEngine(Elsewhere(), DIALECTS), target("http://lan.example", headers={"x": Secret("y")}))
    assert (error.type, error.message) == (
        "origin_not_allowed",
        "The key is not sent to lan.example without encryption.",
    )


async def test_plain_http_can_be_allowed() -> None:
    network = Elsewhere()
    await refusal(HttpEngine(network, DIALECTS, "allow"), target("http://lan.example/v1", key="sk-1"))
    assert network.asked[0].headers["authorization"] == "Bearer sk-1"


@pytest.mark.parametrize(
    ("kind", "cost"),
    [
        ("openrouter", Cost(amount="0.00012", source="provider")),
        ("ollama", Cost(amount="0", source="free")),
        ("openai_compatible", Cost(amount=None)),
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_the_cost_is_the_providers_or_nothing_or_unknown(
    engine: HttpEngine, kind: str, cost: Cost, *, streamed: bool
) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.00012}
    handler: Handler = upstream.events(*HELLO, chunk(usage=usage), DONE)
    if not streamed:
        handler = upstream.answer(WHOLE | {"usage": usage})
    async with upstream.serve(handler) as server:
        question = call(target(server.url, kind))
        await ask(engine, question)
    assert question.completion().cost == cost


async def test_models_are_those_that_the_server_lists(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.by_path(models=upstream.answer({"data": [{"id": "m-1"}]}))) as server:
        assert await engine.models(target(server.url + "/v1", key="sk-1")) == [ModelInfo(id="m-1", provider="here")]
        request = server.requests[0]
    assert (request.method, request.path, request.headers["accept-encoding"]) == ("GET", "/v1/models", "gzip")


async def test_models_are_found_where_the_same_server_points_to(engine: HttpEngine) -> None:
    listing = upstream.answer({"data": [{"id": "m-1"}]})
    turn = upstream.in_turn(upstream.answer(b"", 301, {"location": "/v1/models/"}), listing)
    async with upstream.serve(turn) as server:
        assert [info.id for info in await engine.models(target(server.url + "/v1", key="sk-1"))] == ["m-1"]
        assert [(request.path, request.headers["authorization"]) for request in server.requests] == [
            ("/v1/models", "Bearer sk-1"),
            ("/v1/models/", "Bearer sk-1"),
        ]


async def test_a_circle_of_redirects_is_left(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer(b"", 302, {"location": "/v1/models"})) as server:
        with pytest.raises(SidecarError) as caught:
            await engine.models(target(server.url + "/v1"))
        assert (caught.value.type, len(server.requests)) == ("request_rejected", 2)


async def test_models_that_cannot_be_listed_are_an_error(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer({"error": {"message": "No."}}, 403)) as server:
        with pytest.raises(SidecarError) as caught:
            await engine.models(target(server.url))
    assert (caught.value.type, caught.value.details["provider"], caught.value.details["http_status"]) == (
        "permission_denied",
        "here",
        403,
    )
