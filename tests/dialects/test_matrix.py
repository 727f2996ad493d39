"""What every provider is sent for the same requests: reviewed snapshots, one file for each model.

`python tests/dialects/test_matrix.py` writes them anew.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

SNAPSHOTS = Path(__file__).parent / "snapshots"
if __name__ == "__main__":
    sys.path[:0] = [str(SNAPSHOTS.parent.parent), str(SNAPSHOTS.parent.parent.parent)]

from aimed import TARGETS, Aimed  # noqa: E402 - the path is set above where there is no pytest
from provider_wires import WIRES  # noqa: E402
from recorded import Played  # noqa: E402

from sidecar.dialects.shaping import AS_IT_COMES  # noqa: E402
from sidecar.schema.chat import ChatRequest, Origin  # noqa: E402
from sidecar.schema.errors import SidecarError  # noqa: E402

Json = dict[str, Any]

OWN = {"type": "own_answer"}
"""Stands for the answer of the model itself, with all that must go back to it."""


def b64(data: bytes) -> Json:
    return {"type": "base64", "data": base64.b64encode(data).decode()}


def user(*content: Any) -> Json:
    return {"role": "user", "content": list(content) if content != ("?",) else "?"}


def text(words: str, **members: Any) -> Json:
    return {"type": "text", "text": words, **members}


def file(media_type: str, source: Json, **members: Any) -> Json:
    return {"type": "file", "media_type": media_type, "source": source, **members}


ASKED = user("?")
PNG = file("image/png", b64(b"png"))
SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string", "minLength": 1}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA}
STRICT = {"type": "function", "name": "time", "strict": True}
CALL = {"type": "tool_call", "id": "call:1/é", "name": "weather", "arguments": '{"city":"Paris"}'}
CALLED = {"role": "assistant", "content": [CALL]}
FOREIGN = {"provider": "elsewhere", "endpoint": "https://elsewhere.test/v1", "model": "other"}


def result(content: Any, **members: Any) -> list[Json]:
    """Return a conversation in which a tool answered."""
    part = {"type": "tool_result", "tool_call_id": "call:1/é", "content": content, **members}
    return [ASKED, CALLED, {"role": "tool", "content": [part]}]


def foreign(part: Json) -> Json:
    return part | {"opaque": {"data": '{"signature":"foreign"}', "origin": FOREIGN}}


def choosing(choice: Any) -> Json:
    return {"messages": [ASKED], "tools": [WEATHER], "tool_choice": choice}


def asking(**options: Any) -> Json:
    return {"messages": [ASKED], **options}


JSON_SCHEMA = {"type": "json_schema", "name": "place", "description": "A place.", "schema": SCHEMA, "strict": True}

REQUESTS: dict[str, Json] = {
    "plain": asking(),
    "system and developer": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [text("Be kind."), text("Be exact.")]},
            ASKED,
        ]
    },
    "system in mid-conversation": {
        "messages": [ASKED, {"role": "assistant", "content": "Yes."}, {"role": "system", "content": "Be brief."}, ASKED]
    },
    "last words of the assistant": {"messages": [ASKED, {"role": "assistant", "content": "The answer is"}]},
    "image": {"messages": [user(text("What is this?"), PNG | {"detail": "low"})]},
    "image by address": {"messages": [user(file("image/png", {"type": "url", "url": "https://llm.test/a.png"}))]},
    "pdf": {"messages": [user(file("application/pdf", b64(b"pdf"), filename="a.pdf"))]},
    "pdf by address": {"messages": [user(file("application/pdf", {"type": "url", "url": "https://llm.test/a.pdf"}))]},
    "text file": {"messages": [user(file("text/csv", b64(b"a,b\n1,2"), filename="a.csv"))]},
    "audio": {"messages": [user(file("audio/wav", b64(b"wav")))]},
    "tools": asking(tools=[WEATHER, STRICT]),
    "tool choice auto": choosing("auto"),
    "tool choice none": choosing("none"),
    "tool choice required": choosing("required"),
    "tool choice by name": choosing({"type": "function", "name": "weather"}),
    "no parallel calls": asking(tools=[WEATHER], parallel_tool_calls=False),
    "tool result": {"messages": result("18 degrees"), "tools": [WEATHER]},
    "tool result with an image": {"messages": result([text("See:"), PNG]), "tools": [WEATHER]},
    "tool error": {"messages": result("no such city", is_error=True), "tools": [WEATHER]},
    "json": asking(response_format={"type": "json"}),
    "json schema": asking(response_format=JSON_SCHEMA),
    "json schema with tools": asking(response_format=JSON_SCHEMA, tools=[WEATHER]),
    "sampling": asking(
        temperature=0.5, top_p=0.9, top_k=40, frequency_penalty=0.1, presence_penalty=0.2, max_tokens=1_000_000
    ),
    "sampling without reasoning": asking(temperature=0.5, reasoning={"effort": "none"}),
    "stop": asking(stop=["END", "STOP"]),
    "seed": asking(seed=7),
    **{f"reasoning effort {effort}": asking(reasoning={"effort": effort}) for effort in ("none", "low", "high", "max")},
    "reasoning budget": asking(reasoning={"budget_tokens": 2000}, max_tokens=1500),
    "reasoning with a tool that is a must": choosing("required") | {"reasoning": {"effort": "high"}},
    "cache hints": {
        "messages": [
            {"role": "system", "content": [text("Be brief.", cache={"ttl": "1h"})]},
            user(text("A long text."), text("?", cache={})),
        ],
        "tools": [WEATHER | {"cache": {}}],
    },
    "provider options": asking(
        provider_options={
            "openai": {"service_tier": "flex", "reasoning": {"mode": "pro"}},
            "anthropic": {"metadata": {"user_id": "hash"}, "output_config": {"task": 1}},
            "google": {"safetySettings": [], "generationConfig": {"candidateCount": 1}},
            "openrouter": {"provider": {"zdr": True}},
            "ollama": {"keep_alive": 60, "options": {"mirostat": 1}},
        },
        temperature=1,
    ),
    "provider tool": asking(tools=[{"type": "provider", "definition": {"type": "search", "uses": 5}}, WEATHER]),
    "own data": {"messages": [ASKED, OWN], "tools": [WEATHER]},
    "foreign data": {
        "messages": [
            ASKED,
            {
                "role": "assistant",
                "origin": FOREIGN,
                "content": [
                    foreign({"type": "reasoning", "text": "Hm."}),
                    foreign(text("I look.")),
                    foreign(CALL),
                    foreign({"type": "custom"}),
                ],
            },
            *result("18 degrees")[2:],
        ],
        "tools": [WEATHER],
    },
    "refusal": {
        "messages": [ASKED, {"role": "assistant", "content": [{"type": "refusal", "text": "I will not."}]}, ASKED]
    },
    "context size": asking(context_size=16384),
}


def own_answer(target: Aimed, request: ChatRequest) -> list[Json]:
    """Return the message that the model itself answered with, and the results of the tools that it called."""
    name = next(name for name, wire in WIRES.items() if wire_is_of(wire, target, request))
    played = Played(target.dialect(request), [WIRES[name].calls], target.aim())
    assert played.error is None
    message = json.loads(msgspec.json.encode(played.transcript.message(target.origin)))
    calls = [part["id"] for part in message["content"] if part["type"] == "tool_call"]
    parts = [{"type": "tool_result", "tool_call_id": id_, "content": "18 degrees"} for id_ in calls]
    return [message, {"role": "tool", "content": parts}]


def wire_is_of(wire: Any, target: Aimed, request: ChatRequest) -> bool:
    same = wire.config == {"provider": target.provider, **target.config}
    return same and ("context_size" in wire.options) == (request.context_size is not None)


def request_of(asked: Json, target: Aimed) -> ChatRequest:
    bare = decoded(target.options | {"messages": []})
    messages = [m for message in asked["messages"] for m in (own_answer(target, bare) if message is OWN else [message])]
    return decoded(target.options | asked | {"messages": messages})


def decoded(request: Json) -> ChatRequest:
    return msgspec.json.decode(json.dumps(request), type=ChatRequest)


def snapshot(target: Aimed, asked: Json) -> Json:
    """Return what is sent, or why nothing is."""
    request = request_of(asked, target)
    try:
        sent = target.dialect(request).encode_request(request, target.aim())
    except SidecarError as error:
        return {"error": error.type, "message": error.message}
    found: Json = {"path": sent.path, "body": json.loads(sent.body)}
    if sent.headers:
        found["headers"] = sent.headers
    if sent.warnings:
        found["warnings"] = [f"{warning.param}: {warning.message}" for warning in sent.warnings]
    if sent.shaping != AS_IT_COMES:
        shaping = {name: getattr(sent.shaping, name) for name in sent.shaping.__struct_fields__}
        found["shaping"] = {name: value for name, value in shaping.items() if value}
    return found


def snapshots(name: str) -> str:
    """Return the text of a model's file."""
    target = TARGETS[name]
    found = {asked: snapshot(target, request) for asked, request in REQUESTS.items()}
    return json.dumps(found, indent=1, ensure_ascii=False, default=list) + "\n"


@pytest.mark.parametrize("name", TARGETS)
def test_every_provider_is_sent_what_was_reviewed(name: str) -> None:
    kept = json.loads((SNAPSHOTS / f"{name}.json").read_text())
    assert json.loads(snapshots(name)) == kept, "if this is meant: python tests/dialects/test_matrix.py"


def test_every_snapshot_belongs_to_a_model() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == set(TARGETS)


def test_own_and_foreign_origins_differ() -> None:
    assert msgspec.convert(FOREIGN, Origin) not in [target.origin for target in TARGETS.values()]


if __name__ == "__main__":
    SNAPSHOTS.mkdir(exist_ok=True)
    for written in TARGETS:
        (SNAPSHOTS / f"{written}.json").write_text(snapshots(written))
