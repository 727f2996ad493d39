"""Which providers there are, which one is active, and where a request goes."""

from sidecar.targets.chain import Chain, chain_of
from sidecar.targets.privacy import check_question
from sidecar.targets.targets import TARGET_ERRORS, Choice, Targets

__all__ = ["TARGET_ERRORS", "Chain", "Choice", "Targets", "chain_of", "check_question"]
