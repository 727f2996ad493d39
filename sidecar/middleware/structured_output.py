"""Holds an answer in JSON against its schema. https://json-schema.org/draft/2020-12"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.middleware.schema_steps import StepCounter, TooManyStepsError, UnknownReferenceError
from sidecar.schema.chat import JsonFormat, JsonSchemaFormat, Message, Text
from sidecar.schema.errors import SidecarError

MAX_REASON_CHARS: Final = 200
MAX_SCHEMA_BYTES: Final = 1 << 20
MAX_PATTERN_BYTES: Final = 1 << 20
MAX_WIDE_PATTERN_BYTES: Final = 8 << 20
MAX_BACKTRACKS: Final = 10_000
LINEAR_STEPS: Final = 10
BACKTRACKING_STEPS: Final = 50
"""What a pattern may take for each character, in steps of a tenth of a microsecond."""
MAX_EXPLAINED_STEPS: Final = 20_000
"""Beyond, no reason is given: it would be collected from all alternatives, at kilobytes for each."""

Result = TypeVar("Result")

UNCHECKED: Final = "It would take too long to hold the answer against the schema."
TOO_DEEP: Final = "The schema is nested too deeply."
UNHELD: Final = "The schema refers to a definition that it does not hold, or to itself without end."


def structured_output(handler: ChatHandler) -> ChatHandler:
    """End a call with `output_invalid` where a finished answer was not found to be the JSON that was asked for.

    A schema that is none, or too complex for any answer, is refused with `invalid_params` before anything is sent.
    """

    async def checked(call: Call, emit: Emit) -> Completion:
        wanted = call.request.response_format
        if not isinstance(wanted, JsonFormat | JsonSchemaFormat):
            return await handler(call, emit)
        schema = wanted.schema if isinstance(wanted, JsonSchemaFormat) else {"type": "object"}
        check = await _in_thread(lambda: Check(schema))
        completion = await handler(call, emit)
        call.structured = call.structured or "native"
        if completion.finish_reason.reason == "stop":
            text = _text(completion.message)
            await _in_thread(lambda: check.hold(text))
        return completion

    return checked


class Check:
    """A schema, ready to be held against; raises `invalid_params` where it is none.

    The validator keeps Python's lock and cannot be interrupted, so what it may take is counted beforehand. It fetches
    nothing. Its patterns take linear time, or where that cannot be, as with look-around, a bounded number of steps.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        _measure(schema)
        self._validator, steps_per_character = _compiled(schema)
        self._counter = StepCounter(schema, steps_per_character)

    def hold(self, text: str) -> None:
        """Raise `output_invalid` where an answer is not JSON, does not match, or would take too long to check."""
        try:
            answer = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            raise SidecarError("output_invalid", "The answer is not JSON.") from None
        try:
            steps = self._counter.with_answer(answer)
            matches = self._validator.is_valid(answer)
        except UnknownReferenceError:
            raise _refused(UNHELD) from None
        except (TooManyStepsError, RecursionError, ValueError):
            raise SidecarError("output_invalid", UNCHECKED) from None
        if not matches:
            raise SidecarError("output_invalid", self._reason(answer, steps))

    def _reason(self, answer: Any, steps: int) -> str:
        from jsonschema_rs import ValidationError, ValidationErrorKind

        if steps > MAX_EXPLAINED_STEPS:
            return "The answer could not be matched with the schema."
        try:
            self._validator.validate(answer)
        except ValidationError as error:
            if isinstance(error.kind, ValidationErrorKind.BacktrackLimitExceeded):
                return UNCHECKED
            return f"The answer does not match the schema, at {_place(error.instance_path)}: {_short(error.message)}"
        raise AssertionError  # what is not valid cannot be validated


def _measure(schema: dict[str, Any]) -> None:
    """Refuse a schema that would take too long to compile."""
    try:
        if len(msgspec.json.encode(schema)) > MAX_SCHEMA_BYTES:
            raise _refused(f"The schema is longer than {MAX_SCHEMA_BYTES} bytes.")
        StepCounter(schema, 0).before_any()
    except TooManyStepsError:
        raise _refused("The schema is too complex to hold an answer against it.") from None
    except UnknownReferenceError:
        raise _refused(UNHELD) from None
    except RecursionError:
        raise _refused(TOO_DEEP) from None


def _compiled(schema: dict[str, Any]) -> tuple[Any, int]:
    """Return a validator, and the steps that its patterns may take for each character of a string."""
    from jsonschema_rs import FancyRegexOptions, RegexOptions, ValidationError

    try:
        try:
            return _validator(schema, RegexOptions(size_limit=MAX_PATTERN_BYTES)), LINEAR_STEPS
        except ValidationError:
            options = FancyRegexOptions(backtrack_limit=MAX_BACKTRACKS, size_limit=MAX_WIDE_PATTERN_BYTES)
            return _validator(schema, options), BACKTRACKING_STEPS
    except ValidationError as error:
        if error.kind.name == "$ref":
            raise _refused(UNHELD) from None
        place, reason = _place(error.instance_path), _short(error.message)
        raise _refused(f"The schema is no JSON Schema, at {place}: {reason}") from None
    except ValueError:
        raise _refused(TOO_DEEP) from None


def _validator(schema: dict[str, Any], patterns: Any) -> Any:
    from jsonschema_rs import validator_cls_for

    draft = validator_cls_for(schema)
    return draft(schema, offline=True, validate_formats=False, pattern_options=patterns)


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Return what `work` does; a panic in Rust, which is no `Exception` and would end the process, ends one call."""
    job = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.wait([job])
    finally:
        job.cancel()
    panicked = not isinstance(job.exception(), Exception | None)
    if panicked:
        raise RuntimeError("The validator of JSON Schemas failed.")
    return job.result()


def _refused(message: str) -> SidecarError:
    return SidecarError("invalid_params", message, param="response_format")


def _text(message: Message) -> str:
    return "".join(part.text for part in message.content if isinstance(part, Text))


def _place(path: list[str | int]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return _short("$" + "".join(steps))


def _short(reason: str) -> str:
    return reason if len(reason) <= MAX_REASON_CHARS else reason[: MAX_REASON_CHARS - 1] + "…"
