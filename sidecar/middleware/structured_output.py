"""Holds an answer in JSON against its schema. https://json-schema.org/draft/2020-12"""

import asyncio
from typing import Any, Final

import msgspec

from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.schema.chat import JsonFormat, JsonSchemaFormat, Message, Text
from sidecar.schema.errors import SidecarError

MAX_REASON_CHARS: Final = 200


def structured_output(handler: ChatHandler) -> ChatHandler:
    """End a call with `output_invalid` where a finished answer is not the JSON that was asked for.

    A schema that is none is refused with `invalid_params` before anything is sent.
    """

    async def checked(call: Call, emit: Emit) -> Completion:
        wanted = call.request.response_format
        if not isinstance(wanted, JsonFormat | JsonSchemaFormat):
            return await handler(call, emit)
        schema = wanted.schema if isinstance(wanted, JsonSchemaFormat) else {"type": "object"}
        await asyncio.to_thread(_check_schema, schema)
        completion = await handler(call, emit)
        call.structured = call.structured or "native"
        if completion.finish_reason.reason == "stop":
            await asyncio.to_thread(_check_answer, _text(completion.message), schema)
        return completion

    return checked


def _text(message: Message) -> str:
    return "".join(part.text for part in message.content if isinstance(part, Text))


def _check_schema(schema: dict[str, Any]) -> None:
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(schema, default=_default()).check_schema(schema)
    except SchemaError as error:
        message = f"The schema is no JSON Schema, at {error.json_path}: {_short(error.message)}"
        raise SidecarError("invalid_params", message, param="response_format") from None
    except RecursionError:
        message = "The schema is nested too deeply."
        raise SidecarError("invalid_params", message, param="response_format") from None


def _check_answer(text: str, schema: dict[str, Any]) -> None:
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    try:
        answer = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise SidecarError("output_invalid", "The answer is not JSON.") from None
    # An empty registry, as a schema must not make anybody fetch others.
    validator = validator_for(schema, default=_default())(schema, registry=Registry())
    try:
        error = next(validator.iter_errors(answer), None)
    except (Unresolvable, RecursionError):
        message = "The schema refers to a definition that it does not hold."
        raise SidecarError("invalid_params", message, param="response_format") from None
    if error is not None:
        message = f"The answer does not match the schema, at {error.json_path}: {_short(error.message)}"
        raise SidecarError("output_invalid", message)


def _default() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator


def _short(reason: str) -> str:
    return reason if len(reason) <= MAX_REASON_CHARS else reason[: MAX_REASON_CHARS - 1] + "…"
