"""Entries of the ledger, for tests: chosen ones, and any."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from sidecar.schema.usage import Cost, Usage
from sidecar.storage.ledger import Entry

NOON = datetime.now(UTC).astimezone().replace(hour=12, minute=0, second=0, microsecond=0)


def entry(**fields: Any) -> Entry:
    """Return an answer of today at noon, with some fields otherwise."""
    answer: dict[str, Any] = {
        "at": NOON,
        "method": "chat",
        "provider": "p",
        "kind": "k",
        "model": "m",
        "tags": (),
        "outcome": "ok",
        "error_type": None,
        "cached": False,
        "duration_ms": 5,
        "usage": Usage(input_tokens=10, output_tokens=2),
        "cost": Cost(amount="0.25", source="table"),
    }
    return Entry(**answer | fields)


def day(ago: int) -> str:
    """Return the local day so many days ago."""
    return (NOON - timedelta(days=ago)).date().isoformat()


_names = st.sampled_from(["one", "two", "ß", "a b", "x'; --"])
_counts = st.none() | st.integers(0, 10**9)
_amounts = st.decimals(0, 4_000_000, places=12).map(lambda amount: f"{amount:f}")
_usages = st.builds(
    Usage,
    input_tokens=_counts,
    output_tokens=_counts,
    reasoning_tokens=_counts,
    cache_read_tokens=_counts,
    cache_write_tokens=_counts,
    source=st.sampled_from(["reported", "estimated"]),
)
_costs = st.builds(Cost, amount=st.none()) | st.builds(
    Cost,
    amount=_amounts,
    source=st.sampled_from(["table", "user", "provider", "free", "cache"]),
    estimated=st.booleans(),
)

ENTRIES = st.builds(
    entry,
    at=st.integers(0, 100).map(lambda ago: NOON - timedelta(days=ago)),
    provider=_names,
    model=_names,
    tags=st.lists(_names, max_size=4).map(tuple),
    outcome=st.sampled_from(["ok", "error", "cancelled"]),
    cached=st.booleans(),
    usage=st.none() | _usages,
    cost=_costs,
    prompt_savings=st.decimals(-1000, 1000, places=12),
    response_savings=st.decimals(0, 1000, places=12).map(Decimal),
)
