"""Answers of each dialect in pieces, and servers that refuse them, break them off, stall or lie about their length."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import anyio
import upstream
from provider_wires import CHAT_USAGE, DONE, chat_chunk, data, named, responses_end

Json = dict[str, Any]

PING_S: Final = 0.005
COMMENT: Final = b": keep-alive\n\n"
HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
CHUNKED: Final = HEAD + b"transfer-encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Wire:
    """How a server of one dialect says "Hello": `words` are two halves, `start` comes before and `end` behind them.

    What follows `end` in `rest` is not missed. `error` says in mid-stream that the server is overloaded, `ping` that it
    is still there.
    """

    config: Json
    start: bytes
    words: tuple[bytes, bytes]
    end: bytes
    error: bytes
    rest: bytes = b""
    ping: bytes = COMMENT
    asked: int = 1
    """How many tokens the question is known to have when the answer breaks off."""

    @property
    def answer(self) -> tuple[bytes, ...]:
        return tuple(filter(None, (self.start, *self.words, self.end, self.rest)))


def _anthropic_delta(text: str) -> Json:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def _responses_delta(text: str) -> Json:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return {"type": "response.output_text.delta", **place, "delta": text}


def _gemini_chunk(text: str, **members: Any) -> Json:
    return {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, **members}]}


MESSAGE: Final = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": []}
GEMINI_USAGE: Final = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}

WIRES: Final = {
    "openai_chat": Wire(
        config={"provider": "openai_compatible"},
        start=data(chat_chunk({"role": "assistant", "content": ""})),
        words=(data(chat_chunk({"content": "Hel"})), data(chat_chunk({"content": "lo"}))),
        end=data(chat_chunk({}, "stop")),
        rest=data(CHAT_USAGE, end=DONE),
        error=data({"error": {"message": "Too busy.", "code": 503, "type": "unavailable_error"}}),
    ),
    "openai_responses": Wire(
        config={"provider": "openai", "api": "responses"},
        start=named(
            {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {"id": "msg_1", "type": "message", "role": "assistant", "content": []},
            },
        ),
        words=(named(_responses_delta("Hel")), named(_responses_delta("lo"))),
        end=named(
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {
                    "id": "msg_1",
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
                },
            },
            responses_end(),
        ),
        error=named({"type": "error", "code": "server_is_overloaded", "message": "Too busy.", "param": None}),
    ),
    "anthropic_messages": Wire(
        config={"provider": "anthropic"},
        start=named(
            {"type": "message_start", "message": {**MESSAGE, "usage": {"input_tokens": 10, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        ),
        words=(named(_anthropic_delta("Hel")), named(_anthropic_delta("lo"))),
        end=named(
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        ),
        rest=named({"type": "message_stop"}),
        error=named({"type": "error", "error": {"type": "overloaded_error", "message": "Too busy."}}),
        ping=named({"type": "ping"}),
        asked=10,
    ),
    "gemini_generate": Wire(
        config={"provider": "google"},
        start=b"",
        words=(data(_gemini_chunk("Hel")), data(_gemini_chunk("lo"))),
        end=data(_gemini_chunk("", finishReason="STOP") | {"usageMetadata": GEMINI_USAGE}),
        error=data({"error": {"code": 503, "message": "Too busy.", "status": "UNAVAILABLE"}}),
    ),
}


def chunked(*pieces: bytes) -> bytes:
    """Return a whole answer as it is on the wire."""
    return CHUNKED + b"".join(map(chunk, pieces)) + b"0\r\n\r\n"


def chunk(piece: bytes, size: int | None = None) -> bytes:
    """Return a piece of a body, of its own size or another that is claimed."""
    return b"%x\r\n%b\r\n" % (len(piece) if size is None else size, piece)


def cut_at(whole: bytes, where: int, how: Literal["fin", "rst"] = "fin") -> upstream.Handler:
    """Break off at a byte of the answer."""

    async def handler(exchange: upstream.Exchange) -> None:
        if where:
            await exchange.raw(whole[:where])
        await exchange.cut(how)

    return handler


def raw(whole: bytes) -> upstream.Handler:
    """Send bytes as they are, and close."""
    return cut_at(whole, len(whole))


def stalling(*pieces: bytes, ping: bytes = b"") -> upstream.Handler:
    """Send pieces of an answer as they are, and then nothing more, or pings for ever."""

    async def handler(exchange: upstream.Exchange) -> None:
        for piece in pieces:
            await exchange.raw(piece)
        while ping and not exchange.connection.gone.is_set():
            await exchange.raw(ping)
            await anyio.sleep(PING_S)
        await exchange.hang()

    return handler
