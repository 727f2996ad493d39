"""What servers of Chat Completions, and Ollama, refuse. See `wire_rules`."""

import json
import re
from collections.abc import Iterator
from typing import Any

from wire_rules import Json, twice

MISTRAL_ID = re.compile(r"[a-zA-Z0-9]{9}")


def is_object(text: Any) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def chat(body: Json) -> list[str]:
    """Return what a server of Chat Completions objects to."""
    return list(_chat(body["messages"]))


def _chat(messages: list[Json]) -> Iterator[str]:
    if not messages:
        yield "there are no messages"
    ids: list[str] = []
    open_ids: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_ids:
                yield f"a result for {message['tool_call_id']}, which is not open"
            else:
                open_ids.remove(message["tool_call_id"])
        elif open_ids:
            yield f"{message['role']} speaks while {open_ids} are open"
            open_ids = []
        if message["role"] == "assistant":
            open_ids = [call["id"] for call in message.get("tool_calls", ())]
            ids += open_ids
        yield from _chat_content(message)
    if open_ids:
        yield f"{open_ids} are never answered"
    yield from twice(ids)


def _chat_content(message: Json) -> Iterator[str]:
    content, role = message["content"], message["role"]
    if role not in {"system", "developer", "user", "assistant", "tool"}:
        yield f"the role {role}"
    calls = message.get("tool_calls")
    if calls == []:
        yield "tool_calls is empty"
    for call in calls or ():
        function = call["function"]
        if call["type"] != "function" or not function["name"] or not isinstance(function["arguments"], str):
            yield f"the call {call}"
    if not (content or calls or role == "tool" or message.get("reasoning_details")):
        yield f"{role} says nothing"
    for part in content if isinstance(content, list) else ():
        if part["type"] == "text" and not part["text"]:
            yield f"{role} has an empty part"
        if role != "user" and part["type"] != "text":
            yield f"{role} has a part of type {part['type']}"


def mistral(body: Json) -> list[str]:
    ids = [call["id"] for message in body["messages"] for call in message.get("tool_calls", ())]
    ids += [message["tool_call_id"] for message in body["messages"] if message["role"] == "tool"]
    return [*chat(body), *(f"the id {id_}" for id_ in ids if not MISTRAL_ID.fullmatch(id_))]


def ollama(body: Json) -> list[str]:
    calls = [call for message in body["messages"] for call in message.get("tool_calls", ())]
    odd = [call for call in calls if not is_object(call["function"]["arguments"])]
    return [*chat(body), *(f"the arguments of {call}" for call in odd)]


def ollama_native(body: Json) -> list[str]:
    return list(_ollama_native(body["messages"]))


def _ollama_native(messages: list[Json]) -> Iterator[str]:
    if not messages:
        yield "there are no messages"
    open_calls: list[str] = []
    for message in messages:
        calls = message.get("tool_calls", [])
        if message["role"] == "tool":
            expected = open_calls.pop(0) if open_calls else None
            if expected is None or message.get("tool_name") not in (None, expected):
                yield f"a result of {message.get('tool_name')} where one of {expected} is wanted"
            continue
        if open_calls:
            yield f"{open_calls} are not answered"
        open_calls = [call["function"]["name"] for call in calls]
        yield from _ollama_message(message, calls)
    if open_calls:
        yield f"{open_calls} are never answered"


def _ollama_message(message: Json, calls: list[Json]) -> Iterator[str]:
    if message["role"] not in {"system", "user", "assistant"} or not isinstance(message.get("content", ""), str):
        yield f"the message {message}"
    if not calls and not any(message.get(name) for name in ("content", "images", "thinking")):
        yield f"{message['role']} says nothing"
    if any(not isinstance(call["function"]["arguments"], dict) for call in calls):
        yield f"the arguments of {calls}"
