"""JSON that nobody means well with, and bytes that once were JSON."""

import os
import re
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st

DEPTH: Final = 3000
"""Deeper than any reader follows."""

ODD_VALUES: Final = (
    b"null",
    b"true",
    b"0",
    b"-1",
    b"-0.0",
    b"1.5",
    b"1e300",
    b"1e999",
    b"-1e999",
    b"9007199254740993",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"9" * 400,
    b"NaN",
    b"Infinity",
    b"01",
    b'""',
    b'"x"',
    b'"-5"',
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\\u0000"',
    b'"\x00"',
    b'"\xff"',
    b'"\xed\xa0\x80"',
    b'"\xe2\x80\xa8"',
    b'"{\\"a\\":"',
    b"[]",
    b"[null]",
    b"{}",
    b'{"":null}',
    b'{"type":"x"}',
    b'{"type":null}',
    b'{"type":"text","type":"x"}',
    b"[" * DEPTH,
    b"[" * DEPTH + b"]" * DEPTH,
    b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
    b"",
)

TIMES: Final = int(os.environ.get("SIDECAR_FUZZ", "1"))
"""How many times more examples to try than in an ordinary test run."""

VALUE: Final = re.compile(rb'"(?:[^"\\]|\\.)*"(?!\s*:)|-?\d[\d.eE+-]*|true|false|null|\[\s*\]|\{\s*\}')
"""A value without values in it."""

SCRAPS: Final = st.sampled_from(
    [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\n\n", b"\r", b"\0", b"\xff", b"data: ", b'{"a":1}']
)


def _objects(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Return objects, members of the same name among them."""
    names = st.sampled_from([b"type", b"id", b"role", b"content", b"messages", b"text", b"provider", b"x", b""])
    members = st.tuples(names, inner).map(lambda pair: b'"%b":%b' % pair)
    return st.lists(members, max_size=4).map(lambda found: b"{%b}" % b",".join(found))


TEXTS: Final = st.recursive(
    st.sampled_from(ODD_VALUES),
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(lambda found: b"[%b]" % b",".join(found)), _objects(inner)),
    max_leaves=6,
)
"""What may stand where JSON should, most of it JSON."""


def examples(number: int) -> settings:
    return settings(max_examples=number * TIMES)


def twisted(text: bytes, data: st.DataObject) -> bytes:
    """Put another value in the place of one or two, or change a few bytes."""
    for _ in range(data.draw(st.integers(1, 2))):
        how = data.draw(st.sampled_from(["value", "value", "value", "flip", "cut", "insert", "twice"]))
        if how == "value" and (found := [match.span() for match in VALUE.finditer(text)]):
            start, end = data.draw(st.sampled_from(found))
            text = text[:start] + data.draw(TEXTS) + text[end:]
        elif text:
            text = _damaged(text, how, data)
    return text


def _damaged(text: bytes, how: str, data: st.DataObject) -> bytes:
    start = data.draw(st.integers(0, len(text) - 1))
    end = min(len(text), start + data.draw(st.integers(1, 40)))
    match how:
        case "flip":
            return text[:start] + bytes([text[start] ^ (1 << data.draw(st.integers(0, 7)))]) + text[start + 1 :]
        case "cut":
            return text[:start] + text[end:]
        case "twice":
            return text[:end] + text[start:]
        case _:
            return text[:start] + data.draw(SCRAPS) + text[start:]
