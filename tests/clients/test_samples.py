"""The samples are what the schema says, to validators and to the server itself."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator

from protocol.generate import ROOT, samples
from protocol.generate.model import Alias, Record, read
from sidecar.methods.table import METHODS
from sidecar.schema.secret import decode_hook

SAMPLES: Final = ROOT / "protocol" / "samples"
SCHEMA: Final = json.loads((ROOT / "protocol" / "schema.json").read_bytes())
VALID: Final = sorted(SAMPLES.glob("*/valid/*.json"))
INVALID: Final = sorted(SAMPLES.glob("*/invalid/*.json"))
CLASSES: Final = ("missing", "wrong-type", "closed", "range")
MOST_SAMPLES: Final = 900
MOST_BYTES: Final = 1 << 17
PARAMS: Final[dict[str, type]] = {row.params.__name__: row.params for row in METHODS}


def name(path: Path) -> str:
    return str(path.relative_to(SAMPLES).with_suffix(""))


def type_of(path: Path) -> str:
    return path.parent.parent.name


def loosened(schema: Any) -> Any:
    """Return the schema with unions and enumerations that may grow, as `protocol/samples/README.md` says."""
    match schema:
        case {"x-open": True, "enum": _}:
            return {"type": "string"}
        case {"x-open": True, "discriminator": {"propertyName": field, "mapping": arms}}:
            unknown = {"type": "string", "not": {"enum": list(arms)}}
            other = {"type": "object", "required": [field], "properties": {field: unknown}}
            return {"anyOf": [*schema["oneOf"], other]}
        case dict():
            return {key: loosened(inner) for key, inner in schema.items()}
        case list():
            return [loosened(inner) for inner in schema]
    return schema


@cache
def validator(title: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{title}", "$defs": definitions()})


@cache
def definitions() -> Any:
    return loosened(SCHEMA["$defs"])


def value(path: Path) -> Any:
    return json.loads(path.read_bytes())


@pytest.mark.parametrize("path", VALID, ids=name)
def test_a_valid_sample_is_valid(path: Path) -> None:
    validator(type_of(path)).validate(value(path))


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_an_invalid_sample_is_not_valid(path: Path) -> None:
    assert path.name.startswith(tuple(f"{kind}-" for kind in CLASSES))
    assert not validator(type_of(path)).is_valid(value(path))


@pytest.mark.parametrize("path", [path for path in VALID if type_of(path) in PARAMS], ids=name)
def test_the_server_takes_valid_params(path: Path) -> None:
    msgspec.json.decode(path.read_bytes(), type=PARAMS[type_of(path)], dec_hook=decode_hook)


@pytest.mark.parametrize(
    "path",
    [path for path in INVALID if type_of(path) in PARAMS and not path.name.startswith("range-")],
    ids=name,
)
def test_the_server_refuses_invalid_params(path: Path) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(path.read_bytes(), type=PARAMS[type_of(path)], dec_hook=decode_hook)


def test_what_is_encoded_otherwise_is_another_value_of_a_sample() -> None:
    for encoded in SAMPLES.glob("*/valid/*.encoded.json"):
        sample = encoded.with_name(encoded.name.replace(".encoded", ""))
        assert value(sample) != value(encoded), name(encoded)


def test_every_type_that_stands_alone_has_samples() -> None:
    alone = {
        declaration.name
        for declaration in read().declarations
        if declaration.name in SCHEMA["$defs"]
        and not isinstance(declaration, Alias)
        and not (isinstance(declaration, Record) and declaration.tag)
    }
    assert (
        {type_of(path) for path in VALID} == alone == {folder.name for folder in SAMPLES.iterdir() if folder.is_dir()}
    )


def test_generated_samples_are_those_with_boundary_in_their_names() -> None:
    generated = {ROOT / path for path in samples.files(read())}
    assert {path for path in (*VALID, *INVALID) if "boundary" in path.name} == generated


def test_samples_are_few_and_small() -> None:
    assert len((*VALID, *INVALID)) < MOST_SAMPLES
    assert max(path.stat().st_size for path in (*VALID, *INVALID)) < MOST_BYTES
