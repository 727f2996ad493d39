from typing import Any

import pytest

from sidecar.dialects.strict_schemas import strict

CLOSED = {"additionalProperties": False}
EMPTY = {"type": "object", "properties": {}, "required": [], **CLOSED}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "string"}, {"type": "string"}),
        ({"type": "object"}, {"type": "object", "properties": {}, "required": [], **CLOSED}),
        (
            {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"], "additionalProperties": True},
            {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a", "b"], **CLOSED},
        ),
        (
            {"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {}}]}},
            {
                "type": "array",
                "items": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {}, "required": [], **CLOSED}]},
            },
        ),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"properties": {"type": "object"}}}}},
            {
                "$ref": "#/$defs/a",
                "$defs": {
                    "a": {
                        "type": "object",
                        "properties": {"properties": {"type": "object", "properties": {}, "required": [], **CLOSED}},
                        "required": ["properties"],
                        **CLOSED,
                    }
                },
            },
        ),
        ({"propertyNames": {"pattern": "a"}, "pattern": "^a(?!b)"}, {}),
        ({"pattern": "^a(?:b)$"}, {"pattern": "^a(?:b)$"}),
        ({"title": "A", "allOf": [{"$ref": "#/x"}]}, {"title": "A", "$ref": "#/x"}),
        ({"allOf": [{"type": "object"}], "type": "object"}, {"allOf": [EMPTY], **EMPTY}),
        ({"enum": [{"type": "object"}], "default": {"type": "object"}}, ...),
        (
            {"properties": {"required": {"type": "string"}}},
            {"properties": {"required": {"type": "string"}}, "required": ["required"], **CLOSED},
        ),
    ],
)
def test_a_strict_schema_has_closed_objects_all_of_whose_properties_are_required(schema: Any, wanted: Any) -> None:
    assert strict(schema) == (schema if wanted is ... else wanted)
