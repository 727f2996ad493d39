"""What is known of models, as tables for people."""

from collections.abc import Callable
from typing import Final

from sidecar.cli import measures
from sidecar.cli.options import LOCAL
from sidecar.cli.tables import aligned, fitted
from sidecar.schema.models import ModelInfo, Recommendation

EMPTY: Final = "There are no models on this machine; `llm-sidecar models download` fetches one."

FITS: Final = {True: "has room for it in its memory", False: "has too little memory for it"}

Cell = Callable[[ModelInfo], str | None]


def lines(provider: str, models: list[ModelInfo], columns: int | None) -> list[str]:
    """Return the list of a provider's models, for a terminal of so many columns, and what is wrong with some."""
    if not models:
        return [EMPTY if provider == LOCAL else f"{provider} tells of no models."]
    text, numbers = (_known(cells, models) for cells in (TEXTS, NUMBERS))
    cells = text | numbers
    rows = [[cell(info) or "" for cell in cells.values()] for info in models]
    problems = [f"{info.id}: {info.problem}" for info in models if info.problem]
    return [*fitted([list(cells), *rows], len(text), columns), *problems]


def _known(cells: dict[str, Cell], models: list[ModelInfo]) -> dict[str, Cell]:
    """Leave out the columns that nothing would be in."""
    return {name: cell for name, cell in cells.items() if any(cell(info) for info in models)}


def facts(info: ModelInfo, file: str | None) -> list[str]:
    """Return everything that is known of a model, one thing a line."""
    known = {"file": file} | {name: fact(info) for name, fact in FACTS.items()}
    rows = [[name, told] for name, told in known.items() if told]
    return aligned([["model", info.id], *rows], left=2)


def _state(info: ModelInfo) -> str | None:
    if info.problem:
        return "unusable"
    if info.loaded:
        return "loaded"
    return None if info.lifecycle == "active" else info.lifecycle


def _size(info: ModelInfo) -> str | None:
    return None if info.size_bytes is None else measures.size(info.size_bytes)


def _parameters(info: ModelInfo) -> str | None:
    return measures.short(info.parameters) if info.parameters else None


def _context(info: ModelInfo) -> str | None:
    return f"{info.context_length:,}" if info.context_length else None


def _asked(info: ModelInfo) -> str | None:
    return _rate(info, info.price.input) if info.price else None


def _answered(info: ModelInfo) -> str | None:
    return _rate(info, info.price.output) if info.price else None


def _rate(info: ModelInfo, amount: str | None) -> str | None:
    """Return US dollars per million tokens, but for what never costs anything."""
    free = info.price is not None and info.price.source == "free"
    return None if amount is None or free else f"${amount}"


TEXTS: Final[dict[str, Cell]] = {
    "model": lambda info: info.id,
    "quant": lambda info: info.quantization,
    "from": lambda info: info.source,
    "state": _state,
}
NUMBERS: Final[dict[str, Cell]] = {
    "size": _size,
    "params": _parameters,
    "context": _context,
    "$/M in": _asked,
    "$/M out": _answered,
}
"""The columns of a list, and what is in them."""


def _capabilities(info: ModelInfo) -> str:
    return ", ".join(info.capabilities or ()).replace("_", " ")


def _room(info: ModelInfo) -> str | None:
    return FITS.get(info.fits) if isinstance(info, Recommendation) and info.fits is not None else None


def _bytes(info: ModelInfo) -> str | None:
    return None if info.size_bytes is None else f"{_size(info)} ({info.size_bytes:,} bytes)"


def _memory(info: ModelInfo) -> str | None:
    if info.memory_bytes is None:
        return None
    size = measures.size(info.memory_bytes)
    return f"{size} now" if info.loaded else f"about {size} with its usual context"


def _numbers(info: ModelInfo) -> str | None:
    return None if info.parameters is None else f"{_parameters(info)} ({info.parameters:,})"


def _yes(known: bool | None) -> str | None:  # noqa: FBT001 - it is what is told
    return None if known is None else ("no", "yes")[known]


FACTS: Final[dict[str, Cell]] = {
    "problem": lambda info: info.problem,
    "name": lambda info: info.name,
    "from": lambda info: info.source,
    "size": _bytes,
    "memory": _memory,
    "architecture": lambda info: info.architecture,
    "parameters": _numbers,
    "quantization": lambda info: info.quantization,
    "context": lambda info: f"{info.context_length:,} tokens" if info.context_length else None,
    "takes": lambda info: ", ".join(info.input_modalities or ()),
    "capabilities": _capabilities,
    "chat template": lambda info: _yes(info.chat_template),
    "this machine": _room,
}
"""What is told of one model, and where it is."""
