"""Rules that tell models apart by their ids."""

import re

from msgspec import Struct


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Holds for an id in lower case that meets any of its clauses, `every` being groups that are met as a whole."""

    equals: tuple[str, ...] = ()
    starts_with: tuple[str, ...] = ()
    ends_with: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    every: "tuple[tuple[Rule, ...], ...]" = ()

    def matches(self, model: str) -> bool:
        """Tell whether the rule holds for an id."""
        return (
            model in self.equals
            or model.startswith(self.starts_with)
            or model.endswith(self.ends_with)
            or any(piece in model for piece in self.contains)
            or any(re.search(pattern, model) for pattern in self.regex)
            or any(all(rule.matches(model) for rule in group) for group in self.every)
        )
