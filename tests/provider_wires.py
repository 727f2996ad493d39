"""What providers answer: tool calls first, then words."""

import json
from dataclasses import dataclass, field
from typing import Any

import chat_rules
import wire_rules
from wire_rules import Json, Rules

EVENT_STREAM = "text/event-stream"


def data(*events: Any, end: bytes = b"") -> bytes:
    """Return events without names."""
    return b"".join(b"data: " + compact(event) + b"\n\n" for event in events) + end


def named(*events: Json) -> bytes:
    """Return events under the names that are their types."""
    return b"".join(b"event: " + str(e["type"]).encode() + b"\ndata: " + compact(e) + b"\n\n" for e in events)


def lines(*messages: Json) -> bytes:
    return b"".join(compact(message) + b"\n" for message in messages)


def compact(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Wire:
    """One provider. `secret` is what its first answer holds that only it may see again; `key` is the key's header."""

    config: Json
    model: str
    path: str
    rules: Rules
    calls: bytes
    words: bytes
    key: str = "authorization"
    prefix: str = "Bearer "
    secret: str | None = None
    content_type: str = EVENT_STREAM
    options: Json = field(default_factory=dict)


def chat_chunk(delta: Json, finish: str | None = None, **members: Any) -> Json:
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **members}


def chat_call(index: int, id_: str, city: str) -> Json:
    function = {"name": "weather", "arguments": json.dumps({"city": city})}
    return {"tool_calls": [{"index": index, "id": id_, "type": "function", "function": function}]}


CHAT_USAGE = {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}
DONE = b"data: [DONE]\n\n"


def chat_calls(*thoughts: Json, ids: tuple[str, str] = ("call_1", "call_2")) -> bytes:
    asked = [chat_call(n, id_, city) for n, (id_, city) in enumerate(zip(ids, CITIES, strict=True))]
    chunks = [chat_chunk(delta) for delta in (*thoughts, *asked)]
    return data(*chunks, chat_chunk({}, "tool_calls"), CHAT_USAGE, end=DONE)


CITIES = ("Paris", "Rome")
CHAT_WORDS = data(chat_chunk({"content": "18 and "}), chat_chunk({"content": "24."}, "stop"), CHAT_USAGE, end=DONE)


def chat_wire(provider: str, model: str, **settings: Any) -> Wire:
    made: Json = {"rules": chat_rules.chat, "calls": chat_calls(), "words": CHAT_WORDS, "path": "/chat/completions"}
    return Wire({"provider": provider, **settings.pop("config", {})}, model, **(made | settings))


DETAIL = (
    '{"type":"reasoning.text","text":"Two cities.","signature":"or-signature-0123456789",'
    '"format":"anthropic-claude-v1","index":0}'
)
ENCRYPTED = '{"type":"reasoning.encrypted","data":"or-encrypted-0123456789","id":"rs_1","index":1}'
OPENROUTER_THOUGHT = {"reasoning": "Two cities.", "reasoning_details": [json.loads(DETAIL), json.loads(ENCRYPTED)]}

REASONING_ITEM = (
    '{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Two cities."}],'
    '"encrypted_content":"oai-encrypted-0123456789","x_new":1.50}'
)


def call_item(number: int, status: str, arguments: str) -> Json:
    item = {"id": f"fc_{number}", "type": "function_call", "call_id": f"call_{number}", "name": "weather"}
    return item | {"arguments": arguments, "status": status}


def responses_call(number: int) -> list[Json]:
    arguments = json.dumps({"city": CITIES[number - 1]})
    place = {"item_id": f"fc_{number}", "output_index": number}
    return [
        {"type": "response.output_item.added", "output_index": number, "item": call_item(number, "in_progress", "")},
        {"type": "response.function_call_arguments.delta", **place, "delta": arguments[:5]},
        {"type": "response.function_call_arguments.delta", **place, "delta": arguments[5:]},
        {"type": "response.function_call_arguments.done", **place, "arguments": arguments},
        {
            "type": "response.output_item.done",
            "output_index": number,
            "item": call_item(number, "completed", arguments),
        },
    ]


RESPONSES_USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


def responses_end() -> Json:
    ended = {"id": "resp_1", "status": "completed", "output": [], "usage": RESPONSES_USAGE}
    return {"type": "response.completed", "response": ended}


RESPONSES_CALLS = (
    named(
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {"id": "rs_1", "type": "reasoning", "summary": []},
        },
        {
            "type": "response.reasoning_summary_text.delta",
            "item_id": "rs_1",
            "output_index": 0,
            "summary_index": 0,
            "delta": "Two cities.",
        },
    )
    + b'event: response.output_item.done\ndata: {"type":"response.output_item.done","output_index":0,"item":'
    + REASONING_ITEM.encode()
    + b"}\n\n"
    + named(*responses_call(1), *responses_call(2), responses_end())
)

MESSAGE_ITEM: Json = {"id": "msg_1", "type": "message", "role": "assistant", "phase": "final_answer"}
MESSAGE_PLACE: Json = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
SPOKEN: Json = {"type": "output_text", "text": "18 and 24.", "annotations": []}
RESPONSES_WORDS = named(
    {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": MESSAGE_ITEM | {"status": "in_progress", "content": []},
    },
    {"type": "response.content_part.added", **MESSAGE_PLACE, "part": SPOKEN | {"text": ""}},
    {"type": "response.output_text.delta", **MESSAGE_PLACE, "delta": "18 and 24."},
    {"type": "response.output_text.done", **MESSAGE_PLACE, "text": "18 and 24."},
    {"type": "response.content_part.done", **MESSAGE_PLACE, "part": SPOKEN},
    {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": MESSAGE_ITEM | {"status": "completed", "content": [SPOKEN]},
    },
    responses_end(),
)


def anthropic_block(index: int, start: Json, *deltas: Json) -> list[Json]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def anthropic_call(index: int, number: int) -> list[Json]:
    arguments = json.dumps({"city": CITIES[number - 1]})
    start: Json = {"type": "tool_use", "id": f"toolu_{number}", "name": "weather", "input": {}}
    pieces = ("", arguments[:7], arguments[7:])
    return anthropic_block(index, start, *({"type": "input_json_delta", "partial_json": piece} for piece in pieces))


def anthropic_stream(reason: str, *blocks: list[Json]) -> bytes:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, "output_tokens": 1}
    start: Json = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "usage": usage,
    }
    return named(
        {"type": "message_start", "message": start},
        {"type": "ping"},
        *(event for block in blocks for event in block),
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    )


THINKING: Json = {"type": "thinking", "thinking": "Two cities.", "signature": "ant-signature-0123456789"}
ANTHROPIC_CALLS = anthropic_stream(
    "tool_use",
    anthropic_block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "Two cities."},
        {"type": "signature_delta", "signature": THINKING["signature"]},
    ),
    anthropic_block(1, {"type": "redacted_thinking", "data": "ant-redacted-0123456789"}),
    anthropic_block(2, {"type": "text", "text": ""}, {"type": "text_delta", "text": "I look."}),
    anthropic_call(3, 1),
    anthropic_call(4, 2),
)
ANTHROPIC_WORDS = anthropic_stream(
    "end_turn",
    anthropic_block(
        0, {"type": "text", "text": ""}, *({"type": "text_delta", "text": text} for text in ("18 and ", "24."))
    ),
)

GEMINI_USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
GEMINI_SIGNATURE = "Z2VtLXNpZ25hdHVyZS0wMTIzNDU2Nzg5"


def gemini_chunk(*parts: Json, finish: str | None = None) -> Json:
    candidate = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
    ending = {"finishReason": finish} if finish else {}
    return {"candidates": [candidate | ending], "usageMetadata": GEMINI_USAGE, "modelVersion": "gemini-3.8-flash"}


def gemini_call(number: int) -> Json:
    call = {"id": f"g{number}", "name": "weather", "args": {"city": CITIES[number - 1]}}
    return {"functionCall": call} | ({"thoughtSignature": GEMINI_SIGNATURE} if number == 1 else {})


GEMINI_CALLS = data(
    gemini_chunk({"text": "Two cities.", "thought": True}),
    gemini_chunk(gemini_call(1)),
    gemini_chunk(gemini_call(2)),
    gemini_chunk({"text": ""}, finish="STOP"),
).replace(b"\n", b"\r\n")
GEMINI_WORDS = data(gemini_chunk({"text": "18 and "}), gemini_chunk({"text": "24."}, finish="STOP")).replace(
    b"\n", b"\r\n"
)


def ollama_line(done: str | None = None, **message: Any) -> Json:
    ending = {"done_reason": done, "prompt_eval_count": 10, "eval_count": 5} if done else {}
    said = {"role": "assistant", "content": "", **message}
    return {"model": "m", "message": said, "done": done is not None, **ending}


OLLAMA_CALLS = lines(
    ollama_line(thinking="Two cities."),
    *(ollama_line(tool_calls=[{"function": {"name": "weather", "arguments": {"city": city}}}]) for city in CITIES),
    ollama_line(done="stop"),
)
OLLAMA_WORDS = lines(ollama_line(content="18 and "), ollama_line(content="24."), ollama_line(done="stop"))

WIRES: dict[str, Wire] = {
    "openai-responses": Wire(
        {"provider": "openai"},
        "gpt-6-sol",
        "/responses",
        wire_rules.responses,
        RESPONSES_CALLS,
        RESPONSES_WORDS,
        secret="oai-encrypted-0123456789",
    ),
    "openai-chat": chat_wire("openai", "gpt-5.5", config={"api": "chat"}),
    "anthropic": Wire(
        {"provider": "anthropic"},
        "claude-haiku-4-5",
        "/messages",
        wire_rules.anthropic,
        ANTHROPIC_CALLS,
        ANTHROPIC_WORDS,
        "x-api-key",
        "",
        secret=THINKING["signature"],
    ),
    "google": Wire(
        {"provider": "google"},
        "gemini-3.8-flash",
        "/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
        wire_rules.gemini_3,
        GEMINI_CALLS,
        GEMINI_WORDS,
        "x-goog-api-key",
        "",
        secret=GEMINI_SIGNATURE,
    ),
    "openrouter": chat_wire(
        "openrouter",
        "anthropic/claude-sonnet-5.5",
        calls=b": OPENROUTER PROCESSING\n\n" + chat_calls(OPENROUTER_THOUGHT),
        secret="or-signature-0123456789",
    ),
    "groq": chat_wire("groq", "openai/gpt-oss-120b", calls=chat_calls({"reasoning": "Two cities."})),
    "mistral": chat_wire(
        "mistral", "mistral-large-4", rules=chat_rules.mistral, calls=chat_calls(ids=("a1B2c3D4e", "f5G6h7I8j"))
    ),
    "deepseek": chat_wire("deepseek", "deepseek-v4-pro", calls=chat_calls({"reasoning_content": "Two cities."})),
    "compatible": chat_wire("openai_compatible", "m-1"),
    "ollama": chat_wire("ollama", "qwen3:8b", rules=chat_rules.ollama, calls=chat_calls({"reasoning": "Two cities."})),
    "ollama-native": Wire(
        {"provider": "ollama"},
        "qwen3:8b",
        "/api/chat",
        chat_rules.ollama_native,
        OLLAMA_CALLS,
        OLLAMA_WORDS,
        content_type="application/x-ndjson",
        options={"context_size": 8192},
    ),
}
