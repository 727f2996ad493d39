"""JSON Schemas that answers can be made to obey, and how they are sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dialects.anthropic_messages.closed import obeyable
from sidecar.dialects.anthropic_messages.schemas import sanitised

Schema = dict[str, Any]

TEXT = {"type": "string"}


def closed(**properties: Any) -> Schema:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "schema",
    [
        closed(),
        closed(a=TEXT, b={"type": "array", "items": closed(c={"enum": [1, None]})}),
        closed() | {"additionalProperties": False, "required": []},
        {"type": ["string", "null"]},
        {"const": 1},
        {"anyOf": [TEXT, closed()]},
        {"$ref": "#/$defs/a", "$defs": {"a": closed(b={"$ref": "#/$defs/b"}), "b": TEXT}},
        {"type": "array", "items": {"$ref": "#/definitions/a"}, "definitions": {"a": TEXT}},
        closed(a={"$ref": "#/$defs/a"}, b={"$ref": "#/$defs/a"}) | {"$defs": {"a": TEXT}},
    ],
)
def test_closed_schemas_can_be_obeyed(schema: Schema) -> None:
    assert obeyable(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"description": "Anything."},
        {"type": "object"},
        {"type": ["object", "null"]},
        closed() | {"additionalProperties": True},
        closed() | {"additionalProperties": TEXT},
        closed() | {"patternProperties": {"a": TEXT}},
        closed(a={}),
        closed(a=True),
        closed(a={"type": "array"}),
        {"anyOf": [TEXT, {}]},
        {"$ref": "#/$defs/a", "$defs": {"a": closed(b={"$ref": "#/$defs/a"})}},
        {"$ref": "#/$defs/a", "$defs": {"a": closed(b={"$ref": "#/$defs/b"}), "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}},
        {"$ref": "#"},
        {"$ref": "#/$defs/a"},
        {"$ref": "https://llm.test/schema"},
        {"type": 7},
        {"type": "string", "format": []},
        {"type": "object", "properties": []},
        {"anyOf": {}},
    ],
)
def test_others_cannot(schema: Schema) -> None:
    assert not obeyable(schema)


def test_a_schema_that_is_too_deep_cannot() -> None:
    schema: Schema = TEXT
    for _ in range(5_000):
        schema = {"anyOf": [schema]}
    assert not obeyable(schema)


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        (TEXT, TEXT),
        (closed(a=TEXT), closed(a=TEXT) | {"additionalProperties": False}),
        ({"properties": {}}, closed() | {"additionalProperties": False}),
        (
            {"$schema": "x", "$id": "y", "title": "T", "type": "string", "format": "date"},
            {"title": "T", "type": "string", "format": "date"},
        ),
        (
            {"type": "string", "description": "A code.", "pattern": "^a", "format": "color", "default": "a"},
            {
                "type": "string",
                "description": 'A code.\n\nConstraints: {"pattern":"^a","format":"color","default":"a"}',
            },
        ),
        (
            {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 3},
            {"type": "array", "items": TEXT, "description": 'Constraints: {"minItems":2,"maxItems":3}'},
        ),
        ({"type": "array", "items": TEXT, "minItems": 1}, {"type": "array", "items": TEXT, "minItems": 1}),
        ({"oneOf": [TEXT, closed()]}, {"anyOf": [TEXT, closed() | {"additionalProperties": False}]}),
        (
            {"type": ["string", "null"], "minLength": 1, "description": "A name.", "title": "N"},
            {
                "anyOf": [
                    {"type": "string", "title": "N", "description": 'Constraints: {"minLength":1}'},
                    {"type": "null", "title": "N"},
                ],
                "description": "A name.",
            },
        ),
        ({"type": ["string", "null"], "enum": ["a", None]}, {"enum": ["a", None]}),
        ({"type": ["string"]}, TEXT),
        (
            {"$ref": "#/$defs/a", "description": "?", "$defs": {"a": closed()}},
            {"$ref": "#/$defs/a", "$defs": {"a": closed() | {"additionalProperties": False}}},
        ),
    ],
)
def test_what_has_no_other_expression_is_said_in_words(schema: Schema, sent: Schema) -> None:
    assert obeyable(schema)
    assert sanitised(schema) == sent


NAMES = st.sampled_from(
    [
        "type",
        "properties",
        "items",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "$defs",
        "enum",
        "required",
        "minItems",
        "format",
    ]
)
WORDS = st.sampled_from(["object", "array", "string", "null", "#/$defs/type", "#", "date"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=15,
)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_whatever_can_be_obeyed_can_be_sent(schema: Schema) -> None:
    if obeyable(schema):
        assert isinstance(sanitised(schema), dict)
