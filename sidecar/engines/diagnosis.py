"""The way to a server, tried step by step, so that a person learns which step fails and what to do about it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Final

from sidecar.engines import healing
from sidecar.engines.reading import Reading
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import StageName, TestStage

STEP_SECONDS: Final = 15
HEALING_SECONDS: Final = 5
KEY_TROUBLE: Final[frozenset[ErrorType]] = frozenset({"authentication", "permission_denied", "insufficient_quota"})
"""The errors of a server that was reached and does not like the key; its status may be a mere 400."""

LATEST: Final = ":latest"
_DATE: Final = r"20\d\d-?\d\d-?\d\d"
SUGGESTIONS: Final = 3

Step = Callable[[], Awaitable[None]]


class Diagnosis:
    """One test of one target."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._transport = reading.transport
        self._target = reading.target
        self._refused: SidecarError | None = None
        self._models: list[ModelInfo] = []

    async def run(self) -> list[TestStage]:
        """Return the stages up to the first that fails."""
        stages: list[TestStage] = []
        for name, step in self._steps():
            stages.append(await self._try(name, step))
            if not stages[-1].ok:
                break
        return stages

    def _steps(self) -> list[tuple[StageName, Step]]:
        url, transport = self._target.endpoint, self._transport
        steps: list[tuple[StageName, Step]] = [
            ("config", self._config),
            ("dns", lambda: transport.resolve(url)),
            ("tcp", lambda: transport.reach(url)),
            ("tls", lambda: transport.secure(url)),
            ("http", self._http),
            ("auth", self._auth),
            ("model", self._model),
        ]
        encrypted = url.lower().startswith("https:")
        listed = bool(self._target.model) and self._target.provider.lists_all_models
        skipped = {"tls": not encrypted, "model": not listed}
        return [step for step in steps if not skipped.get(step[0])]

    async def _try(self, name: StageName, step: Step) -> TestStage:
        start, failure = monotonic(), None
        try:
            async with asyncio.timeout(STEP_SECONDS):
                await step()
        except TimeoutError:
            failure = SidecarError("timeout", "The server did not answer in time.", stage="connect")
        except SidecarError as error:
            failure = error
        spent = int((monotonic() - start) * 1000)
        if failure is None:
            return TestStage(name, True, spent)
        hint = await self._healed(name, failure) or failure.details.get("hint")
        return TestStage(name, False, spent, failure.to_object(), hint)

    async def _healed(self, name: StageName, failure: SidecarError) -> str | None:
        """Return a better address, if one is found in time."""
        url, transport = self._target.endpoint, self._transport
        with suppress(TimeoutError):
            async with asyncio.timeout(HEALING_SECONDS):
                match name:
                    case "tcp":
                        return await healing.elsewhere_here(transport, self._target)
                    case "tls":
                        return healing.without_encryption(url, failure)
                    case "http":
                        return await healing.with_encryption(transport, url, failure)
                    case _:
                        return None
        return None

    async def _config(self) -> None:
        target = self._target
        self._reading.address(self._reading.models_path)
        if target.provider.needs_key and not target.key:
            raise SidecarError("credential_not_found", f"{target.provider.name} needs an API key.")

    async def _http(self) -> None:
        """Ask for the models; an answer about the key is one for the next step."""
        try:
            self._models = await self._reading.models()
        except SidecarError as error:
            if error.type not in KEY_TROUBLE:
                raise
            self._refused = error

    async def _auth(self) -> None:
        if self._refused is not None:
            raise self._refused
        path = self._target.provider.key_path
        if path is not None:
            await self._reading.get(path)

    async def _model(self) -> None:
        model, known = self._target.model, [info.id for info in self._models]
        if _is_listed(model.removeprefix(self._reading.dialect.model_prefix), known):
            return
        message = f"The server does not list the model {model}."
        raise SidecarError("model_not_found", message, hint=_similar(model, known))


def _is_listed(model: str, known: list[str]) -> bool:
    """Tell whether a list has a model, be it under a name with a tag, a variant or a date."""
    if not {model, model + LATEST, model.partition(":")[0]}.isdisjoint(known):
        return True
    name = re.escape(model.removesuffix("-latest"))
    return any(re.fullmatch(rf"{name}-(?:latest|{_DATE})", id_) for id_ in known)


def _similar(model: str, known: list[str]) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(model, known, SUGGESTIONS) or known[:SUGGESTIONS]
    return f"It lists {', '.join(close)}." if close else "It lists no models."
