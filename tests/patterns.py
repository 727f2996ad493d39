"""Patterns of messages, as transcripts use them: a value of which every part that is written must be there."""

import json
from collections.abc import Callable
from typing import Any

Bound = dict[str, Any]


class Mismatch(AssertionError):  # noqa: N818 - not an error of the player
    """A message is not what the pattern says."""


def match(pattern: Any, value: Any, bound: Bound, where: str = "message") -> None:
    """Raise `Mismatch` unless `value` has all that `pattern` writes; names that it binds are put into `bound`."""
    if operator := _operator(pattern):
        operator(pattern, value, bound, where)
    elif isinstance(pattern, dict):
        _expect(isinstance(value, dict), where, "an object", value)
        for key, inner in pattern.items():
            _match_member(key, inner, value, bound, f"{where}.{key}")
    elif isinstance(pattern, list):
        _expect(isinstance(value, list) and len(value) == len(pattern), where, f"{len(pattern)} elements", value)
        for number, (inner, element) in enumerate(zip(pattern, value, strict=True)):
            match(inner, element, bound, f"{where}[{number}]")
    else:
        _expect(type(pattern) is type(value) and pattern == value, where, json.dumps(pattern), value)


def matches(pattern: Any, value: Any, bound: Bound) -> bool:
    """Tell whether `value` has all that `pattern` writes."""
    trial = dict(bound)
    try:
        match(pattern, value, trial)
    except Mismatch:
        return False
    bound.update(trial)
    return True


def expand(template: Any, bound: Bound) -> Any:
    """Return the value that a template of a message stands for."""
    match template:
        case {"$ref": name, **rest} if not rest:
            return bound[name]
        case {"$repeat": [text, count]}:
            return text * count
        case dict():
            return {key: expand(inner, bound) for key, inner in template.items()}
        case list():
            return [expand(inner, bound) for inner in template]
        case _:
            return template


def _match_member(key: str, pattern: Any, value: dict[str, Any], bound: Bound, where: str) -> None:
    if pattern == {"$absent": True}:
        _expect(key not in value, where, "nothing", value.get(key))
    else:
        _expect(key in value, where, "a member", None)
        match(pattern, value[key], bound, where)


def _expect(condition: bool, where: str, expected: str, value: Any) -> None:  # noqa: FBT001 - an assertion
    if not condition:
        raise Mismatch(f"{where}: expected {expected[:300]}, got {json.dumps(value)[:2000]}")


def _operator(pattern: Any) -> Callable[[Any, Any, Bound, str], None] | None:
    if isinstance(pattern, dict) and len(pattern) == 1:
        return OPERATORS.get(next(iter(pattern)))
    return None


def _any(_: Any, __: Any, ___: Bound, ____: str) -> None:
    return


def _bind(pattern: Any, value: Any, bound: Bound, _: str) -> None:
    bound[pattern["$bind"]] = value


def _ref(pattern: Any, value: Any, bound: Bound, where: str) -> None:
    known = bound[pattern["$ref"]]
    _expect(type(known) is type(value) and known == value, where, json.dumps(known), value)


def _repeat(pattern: Any, value: Any, _: Bound, where: str) -> None:
    text, count = pattern["$repeat"]
    _expect(value == text * count, where, f"{count} times {text!r}", value)


def _contains(pattern: Any, value: Any, bound: Bound, where: str) -> None:
    wanted = pattern["$contains"]
    if isinstance(value, str):
        _expect(wanted in value, where, f"a text with {wanted!r}", value)
    else:
        found = isinstance(value, list) and any(matches(wanted, element, bound) for element in value)
        _expect(found, where, f"an element {json.dumps(wanted)}", value)


def _exactly(pattern: Any, value: Any, bound: Bound, where: str) -> None:
    wanted = pattern["$exactly"]
    match(wanted, value, bound, where)
    _expect(value.keys() == wanted.keys(), where, f"no members but {sorted(wanted)}", value)


def _min(pattern: Any, value: Any, _: Bound, where: str) -> None:
    _expect(value >= pattern["$min"], where, f"at least {pattern['$min']}", value)


def _max(pattern: Any, value: Any, _: Bound, where: str) -> None:
    _expect(value <= pattern["$max"], where, f"at most {pattern['$max']}", value)


OPERATORS = {
    "$any": _any,
    "$bind": _bind,
    "$ref": _ref,
    "$repeat": _repeat,
    "$contains": _contains,
    "$exactly": _exactly,
    "$min": _min,
    "$max": _max,
}
