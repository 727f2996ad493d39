"""What the HTTP engine does beside passing on one answer: several hops, pages, vectors, counts, repairs."""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import anyio
import pytest
import upstream
from msgspec.structs import replace
from upstream import Exchange

from sidecar.dialects.contract import Aim, HttpRequest, ModelPage, StreamDecoder
from sidecar.dialects.openai_chat import DIALECT
from sidecar.engines.http import MAX_HOPS, HttpEngine
from sidecar.engines.network import HttpTransport
from sidecar.engines.reading import MAX_PAGES
from sidecar.framing.frame import Frame
from sidecar.handler import Call, Embedded, Target
from sidecar.providers import PROVIDERS
from sidecar.schema.chat import ChatRequest, FinishReason, JsonSchemaFormat, Message, Text
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status, StreamEvent
from sidecar.schema.models import ModelInfo
from sidecar.schema.secret import Secret
from sidecar.schema.usage import Usage

pytestmark = pytest.mark.anyio


reports: list[Status] = []


class InHops(StreamDecoder):
    """Reads answers that end with the finish reason `more` on."""

    def __init__(self, aim: Aim) -> None:
        self._inner = DIALECT.decode_stream(aim)
        self._aim = aim
        self._more = False
        self.finished = self.settled = False
        self.cost = None

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        events = [event for event in self._inner.feed(frame) if not self._ends(event)]
        self.finished = self._inner.finished
        return events

    def close(self) -> Iterable[StreamEvent]:
        return [event for event in self._inner.close() if not self._ends(event)]

    def follow_up(self, request: HttpRequest) -> HttpRequest | None:
        if not self._more:
            return None
        self.__init__(self._aim)  # type: ignore[misc]
        return replace(request, body=b'{"further":true}')

    def _ends(self, event: StreamEvent) -> bool:
        self._more = self._more or event == FinishReason("other", "more")
        return event == FinishReason("other", "more")


def page_of(body: bytes, provider: str) -> ModelPage:
    page = json.loads(body)
    return ModelPage([ModelInfo(id=id_, provider=provider) for id_ in page["ids"]], page.get("next"))


@pytest.fixture
async def engine() -> AsyncIterator[HttpEngine]:
    made = HttpEngine(HttpTransport(), {"openai_chat": replace(DIALECT, decode_stream=InHops, decode_models=page_of)})
    yield made
    await made.close()


def target(url: str, **changes: Any) -> Target:
    record = PROVIDERS["openai_compatible"]
    made = Target(id="here", provider=record, config=record.config(base_url=url), endpoint=url, model="m-1")
    return replace(made, **changes)


def call(aim: Target, **request: Any) -> Call:
    return Call(request=ChatRequest(messages=[Message("user", "Hi")], **request), target=aim, report=reports.append)


async def ask(engine: HttpEngine, question: Call) -> None:
    async def emit(event: StreamEvent) -> None:
        del event

    with anyio.fail_after(10):
        await engine.chat(question, emit)


def stream(text: str, finish: str) -> list[bytes]:
    chunks = [{"choices": [{"delta": {"content": text}}]}, {"choices": [{"delta": {}, "finish_reason": finish}]}]
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


async def test_an_answer_in_several_hops_is_one_answer(engine: HttpEngine) -> None:
    bodies: list[Any] = []

    async def play(exchange: Exchange) -> None:
        bodies.append(json.loads(exchange.request.body))
        await upstream.events(*stream("more, ", "more") if len(bodies) < 3 else stream("end", "stop"))(exchange)

    async with upstream.serve(play) as server:
        question = call(target(server.url))
        await ask(engine, question)
    assert bodies[1:] == [{"further": True}, {"further": True}]
    done = question.completion()
    assert done.finish_reason == FinishReason("stop", "stop")
    assert "".join(part.text for part in done.message.content if isinstance(part, Text)) == "more, more, end"


async def test_an_answer_that_never_ends_is_given_up(engine: HttpEngine) -> None:
    asked = 0

    async def play(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        await upstream.events(*stream("x", "more"))(exchange)

    async with upstream.serve(play) as server:
        with pytest.raises(SidecarError) as raised:
            await ask(engine, call(target(server.url)))
    assert (raised.value.type, asked) == ("malformed_response", MAX_HOPS)


async def test_all_pages_of_a_list_are_read(engine: HttpEngine) -> None:
    pages = {"/models": {"ids": ["a"], "next": "/models?after=a"}, "/models?after=a": {"ids": ["b", "c"]}}

    async def play(exchange: Exchange) -> None:
        await upstream.answer(json.dumps(pages[exchange.request.path]).encode())(exchange)

    async with upstream.serve(play) as server:
        assert [model.id for model in await engine.models(target(server.url))] == ["a", "b", "c"]


async def test_a_list_without_an_end_is_given_up(engine: HttpEngine) -> None:
    asked = 0

    async def play(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        await upstream.answer(b'{"ids":["a"],"next":"/models"}')(exchange)

    async with upstream.serve(play) as server:
        with pytest.raises(SidecarError) as raised:
            await engine.models(target(server.url))
    assert (raised.value.type, asked) == ("malformed_response", MAX_PAGES)


async def test_texts_become_vectors(engine: HttpEngine) -> None:
    body = {"data": [{"index": 1, "embedding": [0.5]}, {"index": 0, "embedding": [1.0]}], "usage": {"prompt_tokens": 4}}
    async with upstream.serve(upstream.answer(json.dumps(body).encode())) as server:
        embedded = await engine.embed(target(server.url), EmbeddingRequest(input=["a", "b"]))
        (asked,) = server.requests
    assert embedded == Embedded([[1.0], [0.5]], Usage(input_tokens=4, output_tokens=0), None)
    assert (asked.path, json.loads(asked.body)) == ("/embeddings", {"model": "m-1", "input": ["a", "b"]})


async def test_vectors_that_a_server_refuses_are_an_error_of_this_provider(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer(b'{"error":{"message":"No."}}', status=400)) as server:
        with pytest.raises(SidecarError) as raised:
            await engine.embed(target(server.url), EmbeddingRequest(input=["a"]))
    assert (raised.value.type, raised.value.details["provider"]) == ("request_rejected", "here")


async def test_nobody_counts_where_the_format_has_no_word_for_it(engine: HttpEngine) -> None:
    assert await engine.count_tokens(call(target("http://127.0.0.1:1"))) is None


async def test_a_parameter_that_is_refused_is_named_for_a_repair(engine: HttpEngine) -> None:
    body = {"error": {"message": "Unsupported parameter: 'temperature' is not supported.", "param": "temperature"}}
    async with upstream.serve(upstream.answer(json.dumps(body).encode(), status=400)) as server:
        question = call(target(server.url), temperature=0.5)
        with pytest.raises(SidecarError):
            await ask(engine, question)
    assert question.repair == "temperature"


async def test_what_a_model_lacks_is_left_out_with_a_warning(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.events(*stream("Hi", "stop"))) as server:
        question = call(target(server.url, lacks=frozenset({"temperature"})), temperature=0.5, top_p=0.5)
        await ask(engine, question)
        (asked,) = server.requests
    assert ("temperature" in json.loads(asked.body), json.loads(asked.body)["top_p"]) == (False, 0.5)
    assert [warning.param for warning in question.transcript.warnings] == ["temperature"]


async def test_a_stop_sequence_that_cannot_be_sent_is_kept_here(engine: HttpEngine) -> None:
    async def play(exchange: Exchange) -> None:
        await exchange.start(200, {"content-type": "text/event-stream"})
        await exchange.send(b"".join(stream("one two three", "stop")[:1]))
        await exchange.hang()

    async with upstream.serve(play) as server:
        question = call(target(server.url, lacks=frozenset({"stop"})), stop=["two"])
        await ask(engine, question)
        with anyio.fail_after(5):
            await server.gone.wait()
        (asked,) = server.requests
    done = question.completion()
    assert (done.message.content, done.finish_reason) == ([Text("one ")], FinishReason("stop"))
    assert "stop" not in json.loads(asked.body)
    assert done.usage.source == "estimated"


@pytest.mark.parametrize("ending", ["cut", "end"])
async def test_words_that_may_begin_a_stop_sequence_are_part_of_an_answer_that_breaks_off(
    engine: HttpEngine, ending: str
) -> None:
    async def play(exchange: Exchange) -> None:
        await exchange.start(200, {"content-type": "text/event-stream"})
        await exchange.send(stream("one tw", "stop")[0])
        await getattr(exchange, ending)()

    async with upstream.serve(play) as server:
        question = call(target(server.url, lacks=frozenset({"stop"})), stop=["two"])
        with pytest.raises(SidecarError) as raised:
            await ask(engine, question)
    assert (raised.value.type, question.transcript.message().content) == ("stream_interrupted", [Text("one tw")])


async def test_an_answer_in_json_may_come_as_a_call_of_a_tool(engine: HttpEngine) -> None:
    arguments = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "person", "arguments": '{"a":1}'}}]}
    chunks = [{"choices": [{"delta": arguments}]}, {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}]
    lines = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    wanted = JsonSchemaFormat({"type": "object"}, "person")
    async with upstream.serve(upstream.events(*lines, b"data: [DONE]\n\n")) as server:
        question = call(target(server.url, lacks=frozenset({"response_format"})), response_format=wanted)
        await ask(engine, question)
        (asked,) = server.requests
    body = json.loads(asked.body)
    assert body["tool_choice"] == {"type": "function", "function": {"name": "person"}}
    done = question.completion()
    assert (done.message.content, done.finish_reason) == ([Text('{"a":1}')], FinishReason("stop", "tool_calls"))
    assert question.structured == "tool"


async def test_a_token_goes_as_a_bearer_where_keys_have_a_header_of_their_own(engine: HttpEngine) -> None:
    record = replace(PROVIDERS["openai_compatible"], key_header="x-key", key_prefix="", bearer_prefixes=("tok-",))
    async with upstream.serve(upstream.answer(b'{"ids":[]}')) as server:
        for key in ("tok-1", "key-1"):
            await engine.models(target(server.url, provider=record, key=Secret(key)))
        first, second = server.requests
    assert (first.headers.get("authorization"), first.headers.get("x-key")) == ("Bearer tok-1", None)
    assert (second.headers.get("authorization"), second.headers.get("x-key")) == (None, "key-1")
