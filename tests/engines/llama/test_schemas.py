from typing import Any

import pytest

from sidecar.engines.llama.schemas import check_schema
from sidecar.schema.errors import SidecarError

DEEP: dict[str, Any] = {}
for _ in range(100):
    DEEP = {"items": DEEP}

GOOD: list[dict[str, Any]] = [
    {},
    {"type": "array", "maxItems": 1000},
    {"$ref": "#"},
    {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}},
    {"anyOf": [{"type": "string"}], "items": {"$ref": "#/anyOf/0"}},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "array", "maxItems": 5000}, "`maxItems` is greater than 1000"),
    ({"properties": {"a": {"maxLength": 1001}}}, "`maxLength` is greater than 1000"),
    ({"$ref": "#/no"}, "it refers to a definition that it does not hold"),
    ({"anyOf": [{"$ref": "https://example.com/schema"}]}, "it refers to a definition that it does not hold"),
    (DEEP, "it is too large or too deeply nested"),
    ({"enum": [str(number) for number in range(6000)]}, "it is too large or too deeply nested"),
]


@pytest.mark.parametrize("schema", GOOD)
def test_a_schema_of_a_normal_size_passes(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(("schema", "reason"), BAD)
def test_a_schema_that_would_break_the_engine_is_refused(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(SidecarError) as raised:
        check_schema(schema)
    assert raised.value.type == "unsupported_feature"
    assert raised.value.message == f"Local models cannot follow this JSON schema: {reason}."
