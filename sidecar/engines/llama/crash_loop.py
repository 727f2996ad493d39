"""Models that crash again and again, and for how long they are then left alone. Pure: the caller knows the time."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from sidecar.engines.llama.resident import ModelKey
from sidecar.schema.errors import SidecarError

MAX_CRASHES: Final = 3
"""So many crashes in a row, within `WINDOW_S`, are a loop."""

WINDOW_S: Final = 120.0
PAUSE_S: Final = 60.0
"""How long after the last of them the model is not loaded again; then one attempt more is made."""


class _Crash(Struct, frozen=True):
    at: float
    reason: str


class CrashLoop:
    """Takes note of crashes, by model and settings. Times are in seconds, on any one clock."""

    def __init__(self) -> None:
        self._crashes: dict[ModelKey, list[_Crash]] = {}

    def crashed(self, key: ModelKey, reason: SidecarError, now: float) -> None:
        """Take note of a crash."""
        recent = [crash for crash in self._crashes.get(key, []) if now - crash.at < WINDOW_S]
        self._crashes[key] = [*recent, _Crash(now, reason.message)]

    def answered(self, key: ModelKey) -> None:
        """Forget the crashes: the model works."""
        self._crashes.pop(key, None)

    def check(self, key: ModelKey, now: float) -> None:
        """Raise `SidecarError("engine_crashed")` for a model that is to be left alone."""
        crashes = self._crashes.get(key, [])
        if len(crashes) < MAX_CRASHES:
            return
        wait = crashes[-1].at + PAUSE_S - now
        if wait > 0:
            raise _refusal(key, crashes[-1].reason, len(crashes), wait)


def _refusal(key: ModelKey, reason: str, count: int, wait: float) -> SidecarError:
    message = (
        f"The model {Path(key.path).name} has crashed {count} times in a row and is left alone for {wait:.0f} s."
        f" Last time: {reason}"
    )
    hint = "Use a smaller context_size, gpu_layers 0 or another runtime, or download the file again."
    return SidecarError("engine_crashed", message, hint=hint, retry_after_ms=max(1, round(wait * 1000)))
