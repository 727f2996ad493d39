"""Recorded exchanges of real providers, kept beside the repository, and what their official SDKs make of them."""

import json
from pathlib import Path
from typing import Any

from sidecar.schema.chat import FinishReason, Message, Reasoning, Refusal, Text, ToolCall
from sidecar.schema.usage import Usage

REPOSITORY = Path(__file__).resolve().parent.parent
RECORDINGS = REPOSITORY.parent / "shared" / "recordings"
OWN = REPOSITORY / "tests" / "recordings"

Json = dict[str, Any]


def exchanges(dialect: str) -> list[Json]:
    """Return the exchanges in a dialect, ours after the recorded ones; empty where the recordings are missing."""
    paths = [path for folder in (RECORDINGS, OWN) for path in sorted((folder / "exchanges").glob("*.json"))]
    found = [json.loads(path.read_text()) for path in paths]
    return [exchange for exchange in found if exchange["dialect"] == dialect]


def expectation(exchange_id: str) -> Json:
    """Return the whole record of what is to be made of an exchange."""
    paths = (folder / "expected" / f"{exchange_id}.json" for folder in (RECORDINGS, OWN))
    record: Json = json.loads(next(path for path in paths if path.exists()).read_text())
    return record


def expected(exchange_id: str) -> Json:
    """Return what `reading` is to return for an exchange."""
    record = expectation(exchange_id)
    usage = record["usage"]
    return {
        "text": record["text"],
        "reasoning": record["reasoning_text"],
        "refusal": record["refusal_text"] or "",
        "tool_calls": [{name: call[name] for name in ("id", "name", "arguments")} for call in record["tool_calls"]],
        "finish_reason": record["finish_reason"],
        "usage": usage and {name: usage[name] for name in ("input", "output", "cached", "cache_write", "reasoning")},
    }


def reading(message: Message, finish: FinishReason | None, usage: Usage | None) -> Json:
    """Return an answer in the form of `expected`."""
    parts = message.content
    assert isinstance(parts, list)
    return {
        "text": "".join(part.text for part in parts if isinstance(part, Text)),
        "reasoning": "".join(part.text for part in parts if isinstance(part, Reasoning)),
        "refusal": "".join(part.text for part in parts if isinstance(part, Refusal)),
        "tool_calls": [
            {"id": part.id, "name": part.name, "arguments": part.arguments}
            for part in parts
            if isinstance(part, ToolCall)
        ],
        "finish_reason": finish and finish.raw,
        "usage": usage
        and {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cached": usage.cache_read_tokens,
            "cache_write": usage.cache_write_tokens,
            "reasoning": usage.reasoning_tokens,
        },
    }
