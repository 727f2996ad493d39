"""Why an answer ends. https://ai.google.dev/api/generate-content#FinishReason"""

from typing import Final

from msgspec import Raw, Struct

from sidecar.dialects.gemini_generate.parts import ABSENT
from sidecar.dialects.gemini_generate.wire import NOTHING, Candidate, Feedback
from sidecar.schema.chat import FinishReason, Reason, Warning
from sidecar.schema.events import StreamEvent

UNFINISHED: Final = "CONTINUATION"

FINISH_REASONS: Final[dict[str, Reason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    UNFINISHED: "pause",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "PUP_LIMITED_DISABLED": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "OTHER": "error",
    "LANGUAGE": "error",
    "NO_IMAGE": "error",
    "IMAGE_OTHER": "error",
    "ESCALATION": "error",
}

EXPECTED: Final = frozenset({"stop", "tool_calls", "length"})
"""Ends of which nothing needs to be said."""


class Ending(Struct):
    """What was said of the end so far. `token` has an answer continued that is not at its end."""

    raw: str | None = None
    blocked: str | None = None
    message: str | None = None
    token: Raw = NOTHING

    @property
    def continues(self) -> bool:
        """Whether the rest of the answer can be fetched."""
        return self.raw == UNFINISHED and bytes(self.token) not in ABSENT

    def told(self, candidate: Candidate) -> bool:
        """Take in what an event says; return whether it says that the answer ends."""
        self.token = candidate.continuation_token or self.token
        if not candidate.finish_reason:
            return False
        self.raw, self.message = candidate.finish_reason, candidate.finish_message
        return True

    def refused(self, feedback: Feedback) -> bool:
        """Take in what is said of the question; return whether it is not answered."""
        if not feedback.block_reason:
            return False
        self.blocked, self.message = feedback.block_reason, feedback.block_reason_message
        return True

    def events(self, *, called: bool) -> list[StreamEvent]:
        """Return the reason, after the provider's explanation if it is unusual; `called`: whether tools were called."""
        finish = self._reason()
        if finish.reason == "stop" and called:
            finish = FinishReason("tool_calls", finish.raw)
        if self.message and finish.reason not in EXPECTED:
            return [Warning("finish_message", self.message), finish]
        return [finish]

    def _reason(self) -> FinishReason:
        if self.raw is None:
            return FinishReason("content_filter" if self.blocked else "other", self.blocked)
        return FinishReason(FINISH_REASONS.get(self.raw, "other"), self.raw)
