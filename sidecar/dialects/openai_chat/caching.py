"""Marks up to which a prompt is to be kept. https://openrouter.ai/docs/features/prompt-caching"""

from typing import Any

from sidecar.dialects.contract import Aim
from sidecar.dialects.report import Report
from sidecar.schema.chat import CacheHint


def cache_control(hint: CacheHint | None, aim: Aim, report: Report) -> dict[str, Any]:
    """Return the members that mark a part or a tool; report a hint for which there is no mark."""
    if hint is None:
        return {}
    if aim.quirks.cache_control and "cache" not in aim.lacks:
        return {"cache_control": {"type": "ephemeral"} | ({"ttl": hint.ttl} if hint.ttl != "5m" else {})}
    report.no_cache_marks()
    return {}
