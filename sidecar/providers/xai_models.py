"""What xAI's models take. https://docs.x.ai/docs/models"""

import re
from typing import Final

from sidecar.dialects.traits import UNKNOWN, ModelTraits

FAMILIES: Final = (
    (r"grok-4\.7", ModelTraits(efforts=("low", "medium", "high", "xhigh"))),
    (r"grok-4\.3", ModelTraits(efforts=("none", "low", "medium", "high", "xhigh"))),
    (r"grok-build-0\.1", ModelTraits(efforts=())),
)
"""The first that matches counts; what follows a family's name are variants and dates."""


def traits(model: str) -> ModelTraits:
    """Return what `model` takes."""
    found = (known for names, known in FAMILIES if re.match(rf"(?:{names})(?:$|[-@])", model.lower()))
    return next(found, UNKNOWN)
