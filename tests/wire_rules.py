"""What providers refuse: the rules of each wire format for the order and the form of a conversation.

Each function takes the body of a request and returns complaints in words.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Rules = Callable[[Json], list[str]]

ANTHROPIC_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
GEMINI_DATA = {
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
}
GEMINI_BESIDE = {"thought", "thoughtSignature"}
RESPONSES_CONTENT = {
    "user": {"input_text", "input_image", "input_file", "input_audio"},
    "system": {"input_text"},
    "developer": {"input_text"},
    "assistant": {"output_text", "refusal"},
}
MAX_BREAKPOINTS = 4
MAX_CALL_ID_CHARS = 64


def twice(ids: list[Any]) -> Iterator[str]:
    if len(set(ids)) < len(ids):
        yield f"ids occur twice: {ids}"


def responses(body: Json) -> list[str]:
    """Return what the Responses API objects to."""
    items = body["input"]
    return [*_responses_order(items), *_responses_reasoning(items), *_responses_items(items)]


def _responses_order(items: list[Json]) -> Iterator[str]:
    if not items:
        yield "there is no input"
    open_ids: list[str] = []
    ids: list[str] = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call":
            open_ids.append(item["call_id"])
            if not 0 < len(item["call_id"]) <= MAX_CALL_ID_CHARS:
                yield f"the id {item['call_id']}"
            ids.append(item["call_id"])
        elif kind == "function_call_output":
            if item["call_id"] not in open_ids:
                yield f"an output for {item['call_id']}, which is not open"
            else:
                open_ids.remove(item["call_id"])
        elif kind == "message" and item["role"] != "assistant" and open_ids:
            yield f"{item['role']} speaks while {open_ids} are open"
            open_ids = []
    if open_ids:
        yield f"{open_ids} are never answered"
    yield from twice(ids)


def _responses_reasoning(items: list[Json]) -> Iterator[str]:
    for item, follower in zip(items, [*items[1:], {}], strict=True):
        if item.get("type") == "reasoning":
            kind = follower.get("type", "message")
            alone = not follower or kind == "function_call_output" or follower.get("role") not in (None, "assistant")
            if alone:
                yield f"reasoning without the item that follows it: {item}"


def _responses_items(items: list[Json]) -> Iterator[str]:
    for item in items:
        kind = item.get("type", "message")
        if kind == "message":
            yield from _responses_message(item)
        if kind == "function_call" and not (item["name"] and item["call_id"] and isinstance(item["arguments"], str)):
            yield f"the call {item}"
        if kind == "function_call_output" and not isinstance(item["output"], str):
            for part in item["output"]:
                if part["type"] not in RESPONSES_CONTENT["user"] or part.get("text") == "":
                    yield f"a part of an output: {part}"


def _responses_message(item: Json) -> Iterator[str]:
    content, allowed = item["content"], RESPONSES_CONTENT[item["role"]]
    if not content:
        yield f"{item['role']} says nothing"
    for part in content if isinstance(content, list) else ():
        if part["type"] not in allowed or part.get("text") == "" or part.get("refusal") == "":
            yield f"{item['role']} has the part {part}"


def anthropic(body: Json) -> list[str]:
    """Return what the Messages API objects to."""
    found = [*_anthropic_order(body["messages"]), *_anthropic_tools(body["messages"]), *_anthropic_form(body)]
    return found if body["messages"][-1]["role"] == "user" else [*found, "the conversation does not end with the user"]


def anthropic_4_5(body: Json) -> list[str]:
    """Return what models object to that continue what they are given to begin with."""
    last, thinking = body["messages"][-1], body.get("thinking", {})
    if last["role"] == "user" or thinking.get("type") == "enabled":
        return anthropic(body)
    blank = [block for block in last["content"] if block.get("text", "x") != block.get("text", "x").rstrip()]
    rest = anthropic(body | {"messages": [*body["messages"], {"role": "user", "content": "?"}]})
    return [*rest, *(f"the last words end in blanks: {block}" for block in blank)]


def _anthropic_order(messages: list[Json]) -> Iterator[str]:
    for number, message in enumerate(messages):
        if message["role"] != ("user", "assistant")[number % 2]:
            yield f"{message['role']} speaks at {number}"
        blocks = message["content"]
        if not blocks:
            yield f"{message['role']} says nothing"
        for block in blocks if isinstance(blocks, list) else ():
            yield from _anthropic_block(block)
        if message["role"] == "assistant" and blocks[-1]["type"] in ("thinking", "redacted_thinking"):
            yield "a turn ends with thinking"


def _anthropic_block(block: Json) -> Iterator[str]:
    if block["type"] == "text" and not block["text"].strip():
        yield "a text is blank"
    if block["type"] == "thinking" and not block.get("signature"):
        yield "thinking lacks its signature"
    if block["type"] == "tool_use" and not (ANTHROPIC_ID.fullmatch(block["id"]) and isinstance(block["input"], dict)):
        yield f"the call {block}"
    if block["type"] == "tool_result":
        content = block.get("content", "")
        if block.get("is_error") and not content:
            yield "an error without words"
        for inner in content if isinstance(content, list) else ():
            if inner["type"] not in ("text", "image", "document"):
                yield f"a result with {inner}"
            yield from _anthropic_block(inner)


def _anthropic_tools(messages: list[Json]) -> Iterator[str]:
    ids: list[str] = []
    open_ids: list[str] = []
    for message in messages:
        blocks = message["content"] if isinstance(message["content"], list) else []
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if sorted(results) != sorted(open_ids):
            yield f"results for {results} where {open_ids} are open"
        if any(block["type"] != "tool_result" for block in blocks[: len(results)]):
            yield "results do not come first"
        open_ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
        ids += open_ids
    if open_ids:
        yield f"{open_ids} are never answered"
    yield from twice(ids)


def _anthropic_form(body: Json) -> Iterator[str]:
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        yield f"max_tokens is {body.get('max_tokens')}"
    budget = body.get("thinking", {}).get("budget_tokens")
    if budget is not None and not 1024 <= budget < body["max_tokens"]:
        yield f"a budget of {budget} in {body['max_tokens']}"
    system = body.get("system", "x")
    if not system or any(not block["text"].strip() for block in system if isinstance(block, dict)):
        yield "the system prompt is blank"
    if json.dumps(body).count('"cache_control":') > MAX_BREAKPOINTS:
        yield "too many cache breakpoints"


def gemini(body: Json) -> list[str]:
    """Return what generateContent objects to."""
    contents = body["contents"]
    return [*_gemini_order(contents), *_gemini_calls(contents)]


def _gemini_order(contents: list[Json]) -> Iterator[str]:
    for number, content in enumerate(contents):
        if content["role"] != ("user", "model")[number % 2]:
            yield f"{content['role']} speaks at {number}"
        if not content["parts"]:
            yield f"{content['role']} says nothing"
        for part in content["parts"]:
            if len(GEMINI_DATA & part.keys()) != 1 or part.keys() - GEMINI_DATA - GEMINI_BESIDE:
                yield f"the part {part}"
            if part.get("text") == "" and "thoughtSignature" not in part:
                yield "a text is empty"
    if not contents:
        yield "there are no contents"


def _gemini_calls(contents: list[Json]) -> Iterator[str]:
    wanted: list[tuple[Any, str]] = []
    ids: list[Any] = []
    for content in contents:
        parts = content["parts"]
        given = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if [(response.get("id"), response["name"]) for response in given] != wanted:
            yield f"the responses {given} where {wanted} are wanted"
        if any("functionResponse" not in part for part in parts[: len(given)]):
            yield "responses do not come first"
        if any(not isinstance(response["response"], dict) for response in given):
            yield f"a response that is no object: {given}"
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        if any(not isinstance(call.get("args", {}), dict) for call in calls):
            yield f"arguments that are no object: {calls}"
        wanted = [(call.get("id"), call["name"]) for call in calls]
        ids += [id_ for id_, _ in wanted if id_ is not None]
    if wanted:
        yield f"{wanted} are never answered"
    yield from twice(ids)


def gemini_3(body: Json) -> list[str]:
    """Return what generateContent of models from Gemini 3 on objects to: calls of the turn need signatures, too."""
    contents = body["contents"]
    last = max((n for n, content in enumerate(contents) if _is_asked(content)), default=0)
    unsigned = [
        content
        for content in contents[last:]
        if (calls := [part for part in content["parts"] if "functionCall" in part])
        and "thoughtSignature" not in calls[0]
    ]
    return [*gemini(body), *(f"a call without its signature: {content}" for content in unsigned)]


def _is_asked(content: Json) -> bool:
    return content["role"] == "user" and any("functionResponse" not in part for part in content["parts"])
