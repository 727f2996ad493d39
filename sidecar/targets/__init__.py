"""Which providers there are, which one is active, and where a request goes."""

from sidecar.targets.targets import TARGET_ERRORS, Choice, Targets

__all__ = ["TARGET_ERRORS", "Choice", "Targets"]
