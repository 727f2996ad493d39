"""The types and methods of the Python client."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from protocol.generate import naming, python_types
from protocol.generate.model import Error, Method, Protocol, Record
from protocol.generate.python_text import HEADER, INDENT, WIDTH, call, docstring

FOLDER: Final = "clients/python/src/llm_sidecar"
STREAMS: Final = "chat.stream"
IMPORTS: Final = """\
from typing import Final, NamedTuple

from msgspec import Struct

from llm_sidecar import protocol
from llm_sidecar.calls import Caller
from llm_sidecar.streams import Stream
"""
TABLES: Final = '''\
class Method(NamedTuple):
    """A request: the types of its params and its result, and the errors that are its own."""

    params: type[Struct]
    result: type[Struct]
    errors: tuple[protocol.ErrorType, ...]


class ErrorKind(NamedTuple):
    """An error type: its code, its category, and whether the same request may succeed later."""

    code: int
    category: protocol.Category
    retryable: bool
'''


def files(protocol: Protocol) -> dict[str, str]:
    """Return the generated files, by their paths in the repository."""
    return {
        f"{FOLDER}/protocol.py": python_types.text(protocol),
        f"{FOLDER}/methods.py": _methods(protocol),
    }


def _methods(protocol: Protocol) -> str:
    callable_ = [method for method in protocol.methods if method.namespace]
    namespaces = {name: list(group) for name, group in groupby(callable_, key=lambda method: method.namespace)}
    blocks = [
        f'{HEADER}\n"""The methods of the protocol, and the tables of methods and errors."""\n\n{IMPORTS}\n',
        f"{TABLES}\n",
        *(f"{_namespace(protocol, name, methods)}\n" for name, methods in namespaces.items()),
        f"{_all_namespaces(namespaces)}\n",
        f"{_method_table(protocol.methods)}\n{_error_table(protocol.errors)}",
    ]
    return "\n".join(blocks)


def _namespace(protocol: Protocol, name: str, methods: list[Method]) -> str:
    head = (
        f'class {naming.pascal(name)}:\n    """The methods `{name}.*`."""\n\n'
        "    def __init__(self, caller: Caller) -> None:\n        self._caller = caller\n"
    )
    return head + "".join(f"\n{_method(protocol, method)}" for method in methods)


def _method(protocol: Protocol, method: Method) -> str:
    params = protocol.find(method.params)
    assert isinstance(params, Record)
    doc = "\n".join(docstring(method.doc, INDENT * 2))
    result = f"protocol.{method.result}"
    if method.name == STREAMS:
        return (
            f"    def {method.member}(self, request: protocol.{method.params}) -> Stream:\n{doc}\n"
            "        return self._caller.stream(request)\n"
        )
    if not params.fields:
        parameter, given = "", f"protocol.{params.name}()"
    elif any(field.required for field in params.fields):
        parameter, given = f", params: protocol.{params.name}", "params"
    else:
        parameter, given = f", params: protocol.{params.name} | None = None", f"params or protocol.{params.name}()"
    statement = call("return await self._caller.call", [f'"{method.name}"', given, result], "", indent=INDENT * 2)
    return f"    async def {method.member}(self{parameter}) -> {result}:\n{doc}\n{statement}\n"


def _all_namespaces(namespaces: Iterable[str]) -> str:
    lines = [f"        self.{name} = {naming.pascal(name)}(caller)\n" for name in namespaces]
    return (
        'class Methods:\n    """All methods, by their namespaces."""\n\n'
        "    def __init__(self, caller: Caller) -> None:\n" + "".join(lines)
    )


def _method_table(methods: Iterable[Method]) -> str:
    return "METHODS: Final = {\n" + "".join(map(_method_row, methods)) + "}\n"


def _method_row(method: Method) -> str:
    errors = [f'"{error}"' for error in method.errors]
    types = f"protocol.{method.params}, protocol.{method.result}"
    joined = ", ".join(errors) + ("," if len(errors) == 1 else "")
    line = f'    "{method.name}": Method({types}, ({joined})),\n'
    if len(line) <= WIDTH + 1:
        return line
    rows = "".join(f"            {error},\n" for error in errors)
    head = f'    "{method.name}": Method(\n        protocol.{method.params},\n        protocol.{method.result},\n'
    return f"{head}        (\n{rows}        ),\n    ),\n"


def _error_table(errors: Iterable[Error]) -> str:
    kinds = ((error.type, f'{error.code}, "{error.category}", retryable={error.retryable}') for error in errors)
    rows = (f'    "{type_}": ErrorKind({values}),\n' for type_, values in kinds)
    return "ERRORS: Final[dict[protocol.ErrorType, ErrorKind]] = {\n" + "".join(rows) + "}\n"
