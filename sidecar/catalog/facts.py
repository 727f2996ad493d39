"""Abilities and ends of models, written by hand after their makers' pages.

https://platform.openai.com/docs/deprecations
https://platform.claude.com/docs/en/about-claude/model-deprecations
https://ai.google.dev/gemini-api/docs/deprecations
"""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from sidecar.catalog.rules import Rule
from sidecar.schema.models import Capability, LifecycleStatus

SHEETS: Final = Path(__file__).parent / "sheets"

TASKS: Final = "tasks"
"""The sheet of models that do something else than to chat, which their names tell with every provider."""


class Family(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What models of a kind have in common. What is `None` is unknown."""

    rule: Rule
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    capabilities: tuple[Capability, ...] | None = None


class Ending(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of models: the day, `None` where it has passed and only that is known, and the maker's successor."""

    rule: Rule
    shut_down: date | None = None
    successor: str | None = None

    def status(self, today: date) -> LifecycleStatus:
        """Return what the models are on a day."""
        return "retired" if self.shut_down is None or today >= self.shut_down else "deprecated"


class Sheet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider's models, the first rule that holds counting. `like` names the maker of the models that it hosts."""

    like: str | None = None
    families: tuple[Family, ...] = ()
    endings: tuple[Ending, ...] = ()


@cache
def sheet(kind: str) -> Sheet:
    """Return the facts of a provider, read when they are first asked for; an empty sheet where there are none."""
    try:
        return msgspec.json.decode((SHEETS / f"{kind}.json").read_bytes(), type=Sheet)
    except FileNotFoundError:
        return Sheet()


def family_of(kind: str, model: str) -> Family | None:
    """Return what is known of a model."""
    id_ = model.lower()
    own = sheet(kind)
    hosted = sheet(own.like).families if own.like else ()
    families = (*sheet(TASKS).families, *own.families, *hosted)
    return next((family for family in families if family.rule.matches(id_)), None)


def ending_of(kind: str, model: str) -> Ending | None:
    """Return when a model ends, if that is known; hosts keep models for other times than their makers."""
    id_ = model.lower()
    return next((ending for ending in sheet(kind).endings if ending.rule.matches(id_)), None)


def successor_hint(kind: str, model: str, today: date) -> str | None:
    """Return what to tell of the end of a model to whoever asks for it in vain; None where no end is known."""
    ending = ending_of(kind, model)
    if ending is None:
        return None
    day = f" on {ending.shut_down}" if ending.shut_down else ""
    verb = "was shut down" if ending.status(today) == "retired" else "is deprecated and ends"
    heir = f"{ending.successor} succeeds it" if ending.successor else "models.list tells which models there are now"
    return f"{model} {verb}{day}; {heir}."
