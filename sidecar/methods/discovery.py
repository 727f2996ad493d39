"""What this server says of itself: OpenRPC, JSON Schema, and the tables in short. https://spec.open-rpc.org"""

from functools import cache
from typing import Any, Final

import msgspec

from sidecar import __version__
from sidecar.methods.definitions import Schema, definitions
from sidecar.methods.table import METHODS, NOTIFICATIONS
from sidecar.rpc.router import Method, NotificationRow
from sidecar.schema.errors import ERRORS, ErrorType, error_kinds
from sidecar.schema.session import PROTOCOL_VERSION, Limits, OpenRpc

NAME: Final = "llm-sidecar"

COMMON_ERRORS: Final[tuple[ErrorType, ...]] = (
    "parse_error",
    "invalid_message",
    "duplicate_id",
    "not_batchable",
    "message_too_large",
    "method_not_found",
    "invalid_params",
    "internal_error",
    "server_busy",
    "shutting_down",
    "not_initialized",
    "request_cancelled",
)
"""What any request may be answered with."""


@cache
def openrpc() -> OpenRpc:
    """Return the OpenRPC document."""
    schemas = definitions()
    document = OpenRpc(
        openrpc="1.3.2",
        info={
            "title": NAME,
            "version": __version__,
            "description": "Language models over JSON-RPC on stdin and stdout.",
        },
        methods=[_method(row, schemas) for row in METHODS],
        notifications=[_notification(row, schemas) for row in NOTIFICATIONS],
        components={"schemas": schemas},
    )
    return _relocated(document)


def schema() -> Schema:
    """Return the JSON Schema of a line in either direction, every type being a definition in it."""
    messages = ("Request", "Notification", "Reply", "ErrorReply")
    alternatives: list[Schema] = [{"$ref": f"#/$defs/{name}"} for name in messages]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{NAME} protocol {PROTOCOL_VERSION}",
        "description": "One line: a message, or a batch of them.",
        "anyOf": [*alternatives, {"type": "array", "items": {"anyOf": alternatives}, "minItems": 1}],
        "$defs": definitions(),
    }


def meta() -> dict[str, Any]:
    """Return the tables of methods, notifications, errors and limits."""
    return {
        "protocol_version": PROTOCOL_VERSION,
        "methods": [_method_in_short(row) for row in METHODS],
        "notifications": [
            {"name": row.name, "summary": row.summary, "direction": row.direction, "params": row.params.__name__}
            for row in NOTIFICATIONS
        ],
        "common_errors": COMMON_ERRORS,
        "error_types": [msgspec.to_builtins(kind) for kind in ERRORS.values()],
        "limits": msgspec.to_builtins(Limits()),
    }


def _method_in_short(row: Method) -> dict[str, Any]:
    return {
        "name": row.name,
        "summary": row.summary,
        "params": row.params.__name__,
        "result": row.result.__name__,
        "batchable": row.batchable,
        "before_initialize": row.before_initialize,
        "errors": [kind.type for kind in error_kinds(row.errors)],
    }


def _method(row: Method, schemas: dict[str, Schema]) -> dict[str, Any]:
    return {
        "name": row.name,
        "summary": row.summary,
        "paramStructure": "by-name",
        "params": _descriptors(schemas[row.params.__name__]),
        "result": {"name": row.result.__name__, "schema": {"$ref": f"#/$defs/{row.result.__name__}"}},
        "errors": [
            {"code": kind.code, "message": kind.meaning, "data": {"type": kind.type, "category": kind.category}}
            for kind in error_kinds(row.errors)
        ],
        "x-batchable": row.batchable,
        "x-before-initialize": row.before_initialize,
    }


def _notification(row: NotificationRow, schemas: dict[str, Schema]) -> dict[str, Any]:
    return {
        "name": row.name,
        "summary": row.summary,
        "direction": row.direction,
        "paramStructure": "by-name",
        "params": _descriptors(schemas[row.params.__name__]),
    }


def _descriptors(params: Schema) -> list[dict[str, Any]]:
    """Return one content descriptor a property, the required ones first, as OpenRPC has it."""
    required = params.get("required", ())
    descriptors = [
        {"name": name, "required": name in required, "schema": schema}
        for name, schema in params.get("properties", {}).items()
    ]
    return sorted(descriptors, key=lambda descriptor: not descriptor["required"])


def _relocated(document: OpenRpc) -> OpenRpc:
    """Return the document with its references pointing to where OpenRPC keeps schemas."""
    text = msgspec.json.encode(document).replace(b'"#/$defs/', b'"#/components/schemas/')
    return msgspec.json.decode(text, type=OpenRpc)
