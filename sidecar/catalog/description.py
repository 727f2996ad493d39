"""What a provider tells of its models, completed with what the catalogue knows: the provider's word counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, get_args

from msgspec.structs import replace

from sidecar.catalog.costs import shown
from sidecar.catalog.facts import Family, ending_of, family_of
from sidecar.catalog.prices import Listed, listed
from sidecar.catalog.rules import Rule
from sidecar.dialects.traits import FileKind, ModelTraits
from sidecar.schema.models import Capability, ModelInfo, ModelPrice

FREE: Final = ModelPrice(source="free", input="0", output="0")

KINDS: Final[dict[str, FileKind]] = {"image": "image", "file": "document", "audio": "audio", "video": "video"}
"""The kind of file that a modality is; text is no file."""

SENSES: Final[dict[str, Capability]] = {"image": "vision", "file": "documents", "audio": "audio", "video": "video"}
"""What it takes to read a modality."""

ALL: Final[tuple[Capability, ...]] = get_args(Capability)
UNKNOWN: Final = Family(rule=Rule())
UNLISTED: Final = Listed(id="", rule=Rule())


def described(info: ModelInfo, kind: str, traits: ModelTraits, at: datetime) -> ModelInfo:
    """Return the model with its gaps filled, as far as there is something to fill them with."""
    family = family_of(kind, info.id) or UNKNOWN
    entry = listed(kind, info.id) or UNLISTED
    readable = _readable(family, traits)
    capabilities = info.capabilities or _capabilities(info.input_modalities or readable, family, traits)
    found: dict[str, Any] = {
        "name": entry.name if entry.id == info.id else None,
        "context_length": entry.context_length,
        "max_output_tokens": traits.max_output_tokens,
        "input_modalities": readable,
        "output_modalities": _list(family.output_modalities),
        "capabilities": capabilities,
        # Traits say what may be asked for; of models that do not think, they say nothing.
        "reasoning_efforts": _list(traits.efforts) if "reasoning" in (capabilities or ()) else None,
        "price": _price(entry, at),
    }
    found |= _ending(kind, info.id, at) or {"lifecycle": "deprecated" if entry.deprecated else None}
    gaps = {name: value for name, value in found.items() if value is not None and getattr(info, name) is None}
    return replace(info, **gaps)


def _list(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)


def _readable(family: Family, traits: ModelTraits) -> list[str] | None:
    """Return the modalities of a family but for those that this one of it cannot be sent."""
    if family.input_modalities is None or traits.files is None:
        return _list(family.input_modalities)
    return [name for name in family.input_modalities if name not in KINDS or KINDS[name] in traits.files]


def _capabilities(inputs: list[str] | None, family: Family, traits: ModelTraits) -> list[Capability] | None:
    """Return what a family can do but for what this one of it cannot."""
    found = set(family.capabilities or ())
    if inputs is not None:
        found -= {sense for modality, sense in SENSES.items() if modality not in inputs}
    if traits.efforts == () and traits.budgets is None:
        found.discard("reasoning")
    return [capability for capability in ALL if capability in found] or None


def _price(entry: Listed, at: datetime) -> ModelPrice | None:
    price = entry.price(at)
    return None if price is None else shown(price)


def _ending(kind: str, model: str, at: datetime) -> dict[str, Any] | None:
    ending = ending_of(kind, model)
    if ending is None:
        return None
    return {
        "lifecycle": ending.status(at.date()),
        "shut_down": None if ending.shut_down is None else str(ending.shut_down),
        "successor": ending.successor,
    }
