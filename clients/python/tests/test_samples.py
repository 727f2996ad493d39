"""The samples of the protocol, which every client reads, and writes again as they were."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import DecodeError, Raw, ValidationError

from llm_sidecar import protocol
from llm_sidecar.encoding import Arms, decode, encode

SAMPLES: Final = Path(__file__).parents[3] / "protocol" / "samples"
OPEN_UNIONS: Final[dict[str, Arms[Any]]] = {
    "Citation": protocol.CITATIONS,
    "Delta": protocol.DELTAS,
    "Part": protocol.PARTS,
}


def names(kind: str) -> list[str]:
    found = SAMPLES.glob(f"*/{kind}/*.json")
    return sorted(str(path.relative_to(SAMPLES)) for path in found if not path.name.endswith(".encoded.json"))


def reader(type_name: str) -> Callable[[bytes], Any]:
    if union := OPEN_UNIONS.get(type_name):
        return lambda data: union.read(Raw(data))
    return lambda data: decode(data, getattr(protocol, type_name))


@pytest.mark.parametrize("name", names("valid"))
def test_a_valid_sample_is_read_and_written_as_it_should_be(name: str) -> None:
    path = SAMPLES / name
    encoded = path.with_name(f"{path.stem}.encoded.json")
    value = reader(name.partition("/")[0])(path.read_bytes())
    expected = (encoded if encoded.exists() else path).read_bytes()
    assert json.loads(encode(value)) == json.loads(expected)


@pytest.mark.parametrize("name", [name for name in names("invalid") if "/range-" not in name])
def test_an_invalid_sample_is_refused(name: str) -> None:
    with pytest.raises((ValidationError, DecodeError)):
        reader(name.partition("/")[0])((SAMPLES / name).read_bytes())


def test_there_are_samples() -> None:
    assert names("valid")
    assert names("invalid")
