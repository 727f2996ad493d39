"""Sums over the ledger, in SQL."""

from typing import TYPE_CHECKING, Any, Final

from sidecar.schema.ledger import Grouping, Savings, UsageGroup, UsageQuery
from sidecar.schema.usage import Cost, CostSource
from sidecar.storage.money import shown

if TYPE_CHECKING:
    from sqlite3 import Connection

GROUPINGS: Final[dict[Grouping, str]] = {
    "provider": "provider",
    "model": "model",
    "tag": "tag",
    "day": "day",
    "month": "substr(day, 1, 7)",
}

SOURCES: Final[tuple[CostSource, ...]] = ("unknown", "table", "user", "provider", "free", "cache")
"""Where costs come from, the least certain first."""

HALF_BITS: Final = 31
"""Amounts are summed in halves: the sum of whole ones could exceed the 64 bits that SQLite's integers have."""
LOW_HALF: Final = (1 << HALF_BITS) - 1

COUNTS: Final = {
    "attempts": "count(*)",
    "failed": "sum(outcome = 'error')",
    "cancelled": "sum(outcome = 'cancelled')",
} | {
    name: f"sum({name})"
    for name in (
        "cached",
        "estimated",
        "unpriced",
        "input_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
    )
}

AMOUNTS: Final = ("cost", "prompt_savings", "response_savings")

RANKS: Final = " ".join(f"WHEN '{source}' THEN {rank}" for rank, source in enumerate(SOURCES))
RANK: Final = f"CASE WHEN cost IS NOT NULL THEN CASE cost_source {RANKS} END END"

COLUMNS: Final = (
    COUNTS
    | {f"{name}_high": f"sum({name} >> {HALF_BITS})" for name in AMOUNTS}
    | {f"{name}_low": f"sum({name} & {LOW_HALF})" for name in AMOUNTS}
    | {
        "rank": f"min({RANK})",
        "cost_estimated": "max(cost_estimated)",
    }
)

FILTERS: Final = {
    "since": "day >= ?",
    "until": "day <= ?",
    "provider": "provider = ?",
    "model": "model = ?",
    "tag": "id IN (SELECT attempt FROM attempt_tags WHERE tag = ?)",
}


def summarised(
    connection: "Connection", query: UsageQuery, first_day: str
) -> tuple[list[UsageGroup], UsageGroup, bool]:
    """Return the groups, all attempts together, and whether there are more groups than the query wants."""
    where, values = _filtered(query, first_day)
    grouped = tuple(dict.fromkeys(query.group_by))
    (total,) = _rows(connection, (), where, values)
    if not grouped:
        return [], _group(total), False
    ending = f"{where} GROUP BY {_places(grouped)} ORDER BY {_places(grouped)} LIMIT ?"
    rows = _rows(connection, grouped, ending, [*values, query.limit + 1])
    return [_group(row) for row in rows[: query.limit]], _group(total), len(rows) > query.limit


def _filtered(query: UsageQuery, first_day: str) -> tuple[str, list[Any]]:
    wanted = {name: getattr(query, name) for name in FILTERS} | {"since": max(query.since or "", first_day)}
    given = {name: value for name, value in wanted.items() if value is not None}
    return f"WHERE {' AND '.join(FILTERS[name] for name in given)}", list(given.values())


def _places(grouped: tuple[Grouping, ...]) -> str:
    return ", ".join(str(place) for place in range(1, len(grouped) + 1))


def _rows(
    connection: "Connection", grouped: tuple[Grouping, ...], ending: str, values: list[Any]
) -> list[dict[str, Any]]:
    """Return rows by name; what follows FROM is text of our own, and values are bound."""
    columns: dict[str, str] = {name: GROUPINGS[name] for name in grouped} | COLUMNS
    tags = "LEFT JOIN attempt_tags ON attempt = id" if "tag" in grouped else ""
    rows = connection.execute(f"SELECT {', '.join(columns.values())} FROM attempts {tags} {ending}", values)  # noqa: S608
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _group(row: dict[str, Any]) -> UsageGroup:
    what: dict[str, Any] = {name: row[name] for name in GROUPINGS if name in row}
    counts: dict[str, Any] = {name: row[name] or 0 for name in COUNTS}
    prompts, answers = (shown(_sum(row, name)) for name in ("prompt_savings", "response_savings"))
    return UsageGroup(**what, **counts, cost=_cost(row), savings=Savings(prompt_cache=prompts, response_cache=answers))


def _cost(row: dict[str, Any]) -> Cost:
    """Return the sum of what is known; unknown only where nothing is."""
    rank: int | None = row["rank"]
    if rank is None and row["unpriced"]:
        return Cost(amount=None)
    source = "free" if rank is None else SOURCES[rank]
    return Cost(amount=shown(_sum(row, "cost")), source=source, estimated=bool(row["cost_estimated"]))


def _sum(row: dict[str, Any], name: str) -> int:
    return ((row[f"{name}_high"] or 0) << HALF_BITS) + (row[f"{name}_low"] or 0)
