"""JSON of the protocol: what a newer sidecar may send, and what is not to be shown."""

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar, cast

import msgspec
from msgspec import NODEFAULT, Raw, Struct, ValidationError
from msgspec.structs import force_setattr

T = TypeVar("T")
HIDDEN: Final = "***"


class Unknown:
    """An arm of an open union that this client does not know: its tag, and its JSON as it came."""

    __match_args__ = ("type", "json")
    __slots__ = ("json", "type")

    def __init__(self, tag: str, json: bytes | Raw) -> None:
        self.type: Final = tag
        self.json: Final = Raw(bytes(json))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and bytes(self.json) == bytes(other.json)

    def __hash__(self) -> int:
        return hash(bytes(self.json))

    def __repr__(self) -> str:
        return f"Unknown({self.type!r}, {bytes(self.json)!r})"


class Secret(str):
    """A text that is written to the sidecar, and shown nowhere else."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(HIDDEN)

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def reveal(self) -> str:
        """Return the text itself."""
        return str.__str__(self)


class Arms(Generic[T]):
    """Reads the arms of an open union: the known ones by their types, others as `Unknown`."""

    def __init__(self, known: Any, field: str, tags: frozenset[str]) -> None:
        self._known: msgspec.json.Decoder[T] = msgspec.json.Decoder(known)
        self._tag = msgspec.json.Decoder(msgspec.defstruct("Tag", [("tag", str, msgspec.field(name=field))]))
        self._tags = tags

    def read(self, value: Any) -> Any:
        """Return the value with every `Raw` in it, itself or an element, replaced by what it holds."""
        match value:
            case Raw():
                return self._arm(value)
            case list():
                return [self.read(element) for element in cast("list[object]", value)]
            case _:
                return value

    def _arm(self, json: Raw) -> T | Unknown:
        try:
            return self._known.decode(json)
        except ValidationError:
            tag = cast("str", cast("Any", self._tag.decode(json)).tag)
            if tag in self._tags:
                raise
            return Unknown(tag, json)


def hide(value: Any) -> Any:
    """Return a text, or the texts of a mapping, as secrets."""
    match value:
        case str():
            return Secret(value)
        case Mapping():
            return {name: hide(inner) for name, inner in cast("Mapping[str, object]", value).items()}
        case _:
            return value


def share_defaults(record: Struct) -> None:
    """Replace values that equal their defaults by these: what is omitted is found by its identity."""
    defaults = record.__struct_defaults__
    for name, default in zip(record.__struct_fields__[-len(defaults) :], defaults, strict=True):
        if default is not NODEFAULT and getattr(record, name) == default:
            force_setattr(record, name, default)


def encode(value: object) -> bytes:
    """Return the JSON of a value of the protocol."""
    return ENCODER.encode(value)


def decode(json: bytes | Raw, kind: type[T]) -> T:
    """Return the value of this type; raise `msgspec.ValidationError` for what is none."""
    return msgspec.json.decode(json, type=kind)


def _plain(value: object) -> object:
    match value:
        case Unknown():
            return value.json
        case Secret():
            return value.reveal()
        case _:
            raise TypeError(f"{type(value).__name__} is no value of the protocol")


ENCODER: Final = msgspec.json.Encoder(enc_hook=_plain)
