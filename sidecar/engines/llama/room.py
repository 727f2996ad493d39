"""How much memory all local models may take together, and whether another one fits beside them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

from sidecar.catalog.machine import SHARE, total_memory
from sidecar.engines.llama.resident import Resident
from sidecar.schema.errors import SidecarError

MAX_WORKERS: Final = 8
"""However much memory there is: models that answer at once compete for the same processors."""

MIB: Final = 1 << 20
GIB: Final = 1 << 30


class Room(Struct, frozen=True):
    """The bytes that models may take, by their estimates; None where there is no telling."""

    memory_bytes: int | None

    def check(self, newcomer: Resident) -> None:
        """Raise `SidecarError("out_of_memory")` for a model that would not fit alone."""
        if self.memory_bytes is not None and newcomer.estimate > self.memory_bytes:
            raise _too_large(newcomer, self.memory_bytes)

    def has(self, newcomer: Resident, present: Iterable[Resident]) -> bool:
        """Tell whether a model fits beside those that are there."""
        taken = [one.estimate for one in present]
        fits = self.memory_bytes is None or sum(taken) + newcomer.estimate <= self.memory_bytes
        return fits and len(taken) < MAX_WORKERS


def room(memory_bytes: int | None) -> Room:
    """Return room of that size, or else the models' share of this machine's memory."""
    if memory_bytes:
        return Room(memory_bytes)
    total = total_memory()
    return Room(None if total is None else int(total * SHARE))


def _too_large(newcomer: Resident, memory_bytes: int) -> SidecarError:
    name, context = Path(newcomer.key.path).name, newcomer.context_size
    message = (
        f"The model {name} would take about {_size(newcomer.estimate)} with a context of {context} tokens,"
        f" but local models may take {_size(memory_bytes)} of this machine's memory."
    )
    hint = "Choose a smaller context_size or a smaller model, or raise the limit local_memory_bytes."
    return SidecarError("out_of_memory", message, hint=hint)


def _size(count: int) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"
