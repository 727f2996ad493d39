"""The examples of the JSON-RPC 2.0 specification; `params` by position are refused here.

https://www.jsonrpc.org/specification#examples
"""

import json
from typing import Any, cast

import pytest
from msgspec import Struct

from sidecar.concurrency import TaskGroup
from sidecar.rpc.connection import HostConnection
from sidecar.rpc.router import Method, Request, Router
from sidecar.rpc.stdio import Outbox
from sidecar.schema.session import Limits

pytestmark = pytest.mark.anyio


class Subtraction(Struct):
    minuend: int
    subtrahend: int


class Numbers(Struct):
    numbers: list[int]


class Nothing(Struct):
    pass


def subtract(_: None, params: Subtraction, __: Request) -> int:
    return params.minuend - params.subtrahend


def add(_: None, params: Numbers, __: Request) -> int:
    return sum(params.numbers)


def get_data(_: None, __: Nothing, ___: Request) -> list[Any]:
    return ["hello", 5]


def method(name: str, params: type, handler: Any) -> Method:
    return Method(name=name, summary="", params=params, result=object, handler=handler, batchable=True)


METHODS = (
    method("subtract", Subtraction, subtract),
    method("sum", Numbers, add),
    method("update", Nothing, get_data),
    method("notify_hello", Numbers, add),
    method("get_data", Nothing, get_data),
)


class Wire:
    """Stands in for the pipe to the host."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.limits = Limits()

    def write(self, line: bytes) -> None:
        self.lines.append(line)


async def answers(line: str) -> list[Any]:
    """Return what is written when `line` is received, errors as their codes."""
    wire = Wire()
    async with TaskGroup() as tasks:
        connection = HostConnection(Router(METHODS, None), cast("Outbox", wire), tasks, str)
        connection.initialized = True
        connection.receive(line.encode())
    return [short(json.loads(written)) for written in wire.lines]


def short(reply: Any) -> Any:
    if isinstance(reply, list):
        return [short(one) for one in reply]
    assert reply.pop("jsonrpc") == "2.0"
    return reply | {"error": reply["error"]["code"]} if "error" in reply else reply


async def test_params_by_position_are_invalid() -> None:
    assert await answers('{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}') == [
        {"id": 1, "error": -32602}
    ]


async def test_params_by_name_come_in_any_order() -> None:
    first = '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}'
    second = '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}'
    assert await answers(first) == [{"id": 3, "result": 19}]
    assert await answers(second) == [{"id": 4, "result": 19}]


@pytest.mark.parametrize("name", ["update", "foobar"])
async def test_a_notification_is_not_answered(name: str) -> None:
    assert await answers(f'{{"jsonrpc": "2.0", "method": "{name}", "params": [1,2,3,4,5]}}') == []
    assert await answers(f'{{"jsonrpc": "2.0", "method": "{name}"}}') == []


async def test_a_method_that_does_not_exist_is_an_error() -> None:
    assert await answers('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}') == [{"id": "1", "error": -32601}]


async def test_invalid_json_is_a_parse_error() -> None:
    assert await answers('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]') == [
        {"id": None, "error": -32700}
    ]


async def test_an_invalid_request_object_is_an_error() -> None:
    assert await answers('{"jsonrpc": "2.0", "method": 1, "params": "bar"}') == [{"id": None, "error": -32600}]


async def test_a_batch_of_invalid_json_is_one_parse_error() -> None:
    line = '[ {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method" ]'
    assert await answers(line) == [{"id": None, "error": -32700}]


async def test_an_empty_array_is_one_invalid_request() -> None:
    assert await answers("[]") == [{"id": None, "error": -32600}]


async def test_each_element_of_an_invalid_batch_is_answered() -> None:
    assert await answers("[1]") == [[{"id": None, "error": -32600}]]
    assert await answers("[1,2,3]") == [[{"id": None, "error": -32600}] * 3]


async def test_a_batch_is_answered_by_one_array() -> None:
    batch = """[
        {"jsonrpc": "2.0", "method": "sum", "params": {"numbers": [1,2,4]}, "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": {"numbers": [7]}},
        {"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]"""
    assert await answers(batch) == [
        [
            {"id": "1", "result": 7},
            {"id": "2", "result": 19},
            {"id": None, "error": -32600},
            {"id": "5", "error": -32601},
            {"id": "9", "result": ["hello", 5]},
        ]
    ]


async def test_a_batch_of_notifications_is_not_answered() -> None:
    batch = """[
        {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
    ]"""
    assert await answers(batch) == []
