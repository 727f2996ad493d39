"""Streamed answers as providers send them, made up: the same text in each dialect, a word an event."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle, islice

COUNT = 2_000
PROSE = (
    "The harbour town wakes early. Fishermen mend their nets along the quay, gulls quarrel over scraps, and the "
    "baker's boy — still half asleep — carries warm bread up the hill. “Mind the steps!” somebody calls; nobody does.\n\n"
    '- Crème brûlée costs 3,50 €\n- the ferry leaves at `07:45`\n\n```python\nprint("good morning")\n```\n\n'
)
WORDS = list(islice(cycle(PROSE.replace(" ", "\0 ").split("\0")), COUNT))
TEXT = "".join(WORDS)


def dump(value: object) -> bytes:
    """JSON as most servers write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sse(value: object, event: str = "") -> bytes:
    """A server-sent event."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + (value if isinstance(value, bytes) else dump(value)) + b"\n\n"


def split(body: bytes) -> list[bytes]:
    """A recorded stream, cut where an event ends."""
    end = b"\r\n\r\n" if b"\r\n\r\n" in body else b"\n\n"
    return [event + end for event in body.split(end) if event.strip()]


def openai_chat() -> list[bytes]:
    """Chat Completions."""
    head = {
        "id": "chatcmpl-DuLdSir8kzAQMIjRl1tG2YC59CjR1",
        "object": "chat.completion.chunk",
        "created": 1782321906,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_51b9c32e14",
    }

    def chunk(delta: object, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return sse({**head, "choices": [choice], "usage": None, "obfuscation": "co1AgmWP"})

    usage = {
        "prompt_tokens": 86,
        "completion_tokens": COUNT,
        "total_tokens": COUNT + 86,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    return [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        *(chunk({"content": word}) for word in WORDS),
        chunk({}, "stop"),
        sse({**head, "choices": [], "usage": usage, "obfuscation": "qzX"}),
        sse(b"[DONE]"),
    ]


def openai_responses() -> list[bytes]:
    """Responses."""
    numbers = iter(range(2 * COUNT))

    def event(kind: str, **members: object) -> bytes:
        return sse({"type": kind, **members, "sequence_number": next(numbers)}, kind)

    item_id = "msg_00592e63e61b66660169fab1bada8481a28ef92eb62c168ead"
    place = {"content_index": 0, "item_id": item_id, "output_index": 0}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": TEXT}
    item = {"id": item_id, "type": "message", "status": "completed", "content": [part], "role": "assistant"}
    response = {"id": "resp_00592e63", "object": "response", "status": "in_progress", "model": "gpt-5.5", "output": []}
    usage = {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": COUNT,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": COUNT + 11,
    }
    return [
        event("response.created", response=response),
        event("response.in_progress", response=response),
        event("response.output_item.added", item={**item, "status": "in_progress", "content": []}, output_index=0),
        event("response.content_part.added", **place, part={**part, "text": ""}),
        *(
            event("response.output_text.delta", **place, delta=word, logprobs=[], obfuscation="aXq3OZ0u")
            for word in WORDS
        ),
        event("response.output_text.done", **place, logprobs=[], text=TEXT),
        event("response.content_part.done", **place, part=part),
        event("response.output_item.done", item=item, output_index=0),
        event("response.completed", response={**response, "status": "completed", "output": [item], "usage": usage}),
    ]


def anthropic_messages() -> list[bytes]:
    """Messages."""

    def event(kind: str, **members: object) -> bytes:
        return sse({"type": kind, **members}, kind)

    usage = {"input_tokens": 707, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 4}
    message = {"model": "claude-haiku-4-5-20251001", "id": "msg_01Qb3MMm", "type": "message", "role": "assistant"}
    ending = {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None}
    return [
        event("message_start", message={**message, "content": [], "stop_reason": None, "usage": usage}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("ping"),
        *(event("content_block_delta", index=0, delta={"type": "text_delta", "text": word}) for word in WORDS),
        event("content_block_stop", index=0),
        event("message_delta", delta=ending, usage={**usage, "output_tokens": COUNT}),
        event("message_stop"),
    ]


def gemini_generate() -> list[bytes]:
    """generateContent: token counts in every event, lines end in CRLF."""

    def chunk(number: int, word: str) -> bytes:
        finish = {"finishReason": "STOP"} if number == COUNT else {}
        counts = {"promptTokenCount": 233, "candidatesTokenCount": number, "totalTokenCount": 233 + number}
        details = {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 233}], "serviceTier": "standard"}
        value = {
            "candidates": [{"content": {"parts": [{"text": word}], "role": "model"}, **finish, "index": 0}],
            "usageMetadata": counts | details,
            "modelVersion": "gemini-2.5-flash",
            "responseId": "VL-Fao-BIOTbvdIPyZ3HiAQ",
        }
        return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\r\n\r\n"

    return [chunk(number, word) for number, word in enumerate(WORDS, 1)]


def ollama_chat() -> list[bytes]:
    """A JSON value a line."""

    def lines() -> Iterator[dict[str, object]]:
        head = {"model": "llama3.2", "created_at": "2026-11-22T13:52:10.482193847Z"}
        for word in WORDS:
            yield {**head, "message": {"role": "assistant", "content": word}, "done": False}
        counts = {"total_duration": 8113331500, "prompt_eval_count": 26, "eval_count": COUNT}
        last = {"message": {"role": "assistant", "content": ""}, "done_reason": "stop", "done": True}
        yield {**head, **last, **counts}

    return [dump(line) + b"\n" for line in lines()]


ANSWERS: dict[str, Callable[[], list[bytes]]] = {
    maker.__name__: maker for maker in (openai_chat, openai_responses, anthropic_messages, gemini_generate, ollama_chat)
}
"""The answer in each dialect, an event each."""
