"""The public types as JSON Schema definitions. https://json-schema.org/draft/2020-12"""

from collections.abc import Callable
from inspect import cleandoc
from typing import Any, Final, NamedTuple

import msgspec

from sidecar.methods.table import METHODS, NOTIFICATIONS
from sidecar.providers import ProviderConfig, openai
from sidecar.schema import (
    budgets,
    chat,
    citations,
    credentials,
    embeddings,
    errors,
    events,
    ledger,
    models,
    policies,
    providers,
    tasks,
    usage,
)
from sidecar.schema.secret import Secret

Schema = dict[str, Any]


class Named(NamedTuple):
    """A union or an enumeration, which has no name of its own in Python.

    What is `open` may grow within a protocol version: a client must accept values that it does not know.
    """

    kind: Any
    description: str
    open: bool = True


NAMED: Final[dict[str, Named]] = {
    "Role": Named(chat.Role, "Who speaks.", open=False),
    "Part": Named(chat.Part, "A piece of a message."),
    "FileSource": Named(chat.FileSource, "Where a file is.", open=False),
    "Capability": Named(models.Capability, "What a model can do."),
    "LifecycleStatus": Named(models.LifecycleStatus, "Whether a model will go on being there."),
    "PriceSource": Named(models.PriceSource, "Who says what a model costs."),
    "Preference": Named(models.Preference, "What models are ranked by.", open=False),
    "Citation": Named(citations.Citation, "What a text refers to."),
    "OnUnsupported": Named(chat.OnUnsupported, "What happens to an option that a model lacks.", open=False),
    "OpenAIApi": Named(openai.Api, "Which of its APIs a provider is asked over.", open=False),
    "Effort": Named(chat.Effort, "How much the model should think.", open=False),
    "StructuredOutput": Named(chat.StructuredOutput, "The way by which an answer in JSON was had."),
    "Purpose": Named(embeddings.Purpose, "What a vector is for.", open=False),
    "ToolResultPart": Named(chat.Text | chat.File, "A piece of what a tool answered.", open=False),
    "Tool": Named(chat.Tool, "What the model may use.", open=False),
    "ToolChoice": Named(chat.ToolChoice, "Whether, and which, tools must be used.", open=False),
    "ResponseFormat": Named(chat.ResponseFormat, "The form of the answer.", open=False),
    "ProviderConfig": Named(ProviderConfig, "How to reach a provider.", open=False),
    "Delta": Named(events.Delta, "A piece of a streamed answer."),
    "Reason": Named(chat.Reason, "Why an answer ended."),
    "TaskKind": Named(tasks.TaskKind, "What kind of task it is."),
    "State": Named(events.State, "What a stream is waiting for."),
    "ErrorType": Named(errors.ErrorType, "What went wrong; what clients switch on."),
    "Category": Named(errors.Category, "What kind of thing went wrong."),
    "Stage": Named(errors.Stage, "Which deadline passed."),
    "StageName": Named(providers.StageName, "A step of the diagnosis."),
    "KeySource": Named(providers.KeySource, "Where a key comes from."),
    "KeychainStatus": Named(credentials.KeychainState.__annotations__["state"], "Whether the keychain works."),
    "CacheMode": Named(policies.CacheMode, "What the response cache does.", open=False),
    "Grouping": Named(ledger.Grouping, "What attempts are grouped by.", open=False),
    "Period": Named(budgets.Period, "What a budget is for.", open=False),
    "Outcome": Named(usage.Outcome, "How an attempt ended."),
    "UsageSource": Named(usage.Usage.__annotations__["source"], "Who counted the tokens."),
    "CostSource": Named(usage.Cost.__annotations__["source"], "Where the price comes from."),
}

REFINED: Final = {
    ("ErrorData", "type"): "ErrorType",
    ("ErrorData", "category"): "Category",
    ("ErrorData", "stage"): "Stage",
    ("ErrorData", "partial"): "Message",
    ("Attempt", "error_type"): "ErrorType",
}
"""Fields whose Python type is wider than what they hold."""

SAFE_INTEGER: Final = 2**53 - 1
"""Larger integers lose digits where a host reads JSON numbers as doubles."""

SECRET: Final = {"type": "string", "writeOnly": True}

ENVELOPES: Final[dict[str, Schema]] = {
    "Id": {
        "title": "Id",
        "description": "What the caller chose; echoed verbatim.",
        "type": ["string", "integer"],
    },
    "Request": {
        "title": "Request",
        "description": "A call that is answered with a `Reply` or an `ErrorReply`.",
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"$ref": "#/$defs/Id"},
            "method": {"type": "string"},
            "params": {"type": "object"},
        },
        "required": ["jsonrpc", "id", "method"],
    },
    "Notification": {
        "title": "Notification",
        "description": "A message without an answer.",
        "type": "object",
        "properties": {"jsonrpc": {"const": "2.0"}, "method": {"type": "string"}, "params": {"type": "object"}},
        "required": ["jsonrpc", "method"],
        "not": {"required": ["id"]},
    },
    "Reply": {
        "title": "Reply",
        "description": "A successful answer.",
        "type": "object",
        "properties": {"jsonrpc": {"const": "2.0"}, "id": {"$ref": "#/$defs/Id"}, "result": {"type": "object"}},
        "required": ["jsonrpc", "id", "result"],
    },
    "ErrorReply": {
        "title": "ErrorReply",
        "description": "A failed answer. `id` is null where none could be read.",
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"anyOf": [{"$ref": "#/$defs/Id"}, {"type": "null"}]},
            "error": {"$ref": "#/$defs/ErrorObject"},
        },
        "required": ["jsonrpc", "id", "error"],
    },
}


def definitions() -> dict[str, Schema]:
    """Return every public type by name, in alphabetical order; references read `#/$defs/NAME`."""
    methods = (kind for method in METHODS for kind in (method.params, method.result))
    types = [*methods, *(row.params for row in NOTIFICATIONS), errors.ErrorObject]
    plain, components = msgspec.json.schema_components(
        [*types, *(row.kind for row in NAMED.values())], schema_hook=_hook, ref_template="#/$defs/{name}"
    )
    named = dict(zip(NAMED, plain[len(types) :], strict=True))
    name = _namer({"Secret": SECRET} | named)
    found = {title: _children(schema, name) for title, schema in (components | named).items()}
    for title, row in NAMED.items():
        found[title] = _titled(title, row, found[title])
    _refine(found)
    for schema in found.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    return dict(sorted((found | ENVELOPES | {"Secret": _secret()}).items()))


def _hook(kind: type) -> Schema:
    if kind is Secret:
        return SECRET
    raise NotImplementedError(kind)


def _secret() -> Schema:
    return {"title": "Secret", "description": "A key. It is taken, and never shown again."} | SECRET


def _namer(named: dict[str, Schema]) -> Callable[[Schema], Schema]:
    """Return a function that puts a reference in place of a schema that has a name, nullable or not."""
    names = {_key(schema): title for title, schema in named.items()}
    assert len(names) == len(named)

    def name(schema: Schema) -> Schema:
        default = {"default": schema["default"]} if "default" in schema else {}
        bare = {key: value for key, value in schema.items() if key != "default"}
        if title := names.get(_key(bare)):
            return {"$ref": f"#/$defs/{title}"} | default
        options = bare.get("anyOf", [])
        if {"type": "null"} in options and (title := names.get(_key(_not_null(bare)))):
            return {"anyOf": [{"$ref": f"#/$defs/{title}"}, {"type": "null"}]} | default
        return _children(schema, name)

    return name


def _not_null(schema: Schema) -> Schema:
    options = [option for option in schema["anyOf"] if option != {"type": "null"}]
    return options[0] if len(options) == 1 else schema | {"anyOf": options}


def _key(schema: Schema) -> bytes:
    return msgspec.json.encode(schema, order="deterministic")


def _children(schema: Schema, name: Callable[[Schema], Schema]) -> Schema:
    """Return the schema with `name` applied to what is inside, and one-value enumerations as constants."""
    if len(schema.get("enum", ())) == 1:
        return {"const": schema["enum"][0]}
    walked: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            walked[key] = {field: name(inner) for field, inner in value.items()}
        elif key == "anyOf":
            walked[_quantifier(schema)] = [name(option) for option in value]
        elif key in {"items", "additionalProperties"}:
            walked[key] = name(value)
        else:
            walked[key] = value
    return _bounded(_stringly(walked))


def _quantifier(schema: Schema) -> str:
    return "oneOf" if "discriminator" in schema else "anyOf"


def _stringly(schema: Schema) -> Schema:
    return {"type": "string"} | schema if "enum" in schema else schema


def _bounded(schema: Schema) -> Schema:
    """Return the schema with the bounds that every integer has on the wire."""
    return {"minimum": -SAFE_INTEGER, "maximum": SAFE_INTEGER} | schema if schema.get("type") == "integer" else schema


def _titled(title: str, row: Named, schema: Schema) -> Schema:
    head = {"title": title, "description": row.description}
    return head | schema | ({"x-open": True} if row.open else {})


def _refine(found: dict[str, Schema]) -> None:
    for (title, field), kind in REFINED.items():
        properties = found[title]["properties"]
        reference: Schema = {"$ref": f"#/$defs/{kind}"}
        if "default" in properties[field]:
            reference = {"anyOf": [reference, {"type": "null"}], "default": None}
        properties[field] = reference
