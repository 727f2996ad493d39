"""What was used, and what it cost: `usage.summary`."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from sidecar.schema.policies import Tag
from sidecar.schema.usage import Cost

MAX_GROUPS: Final = 10_000

Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-11-22"])]
"""A day of the machine's local calendar, such as `2026-11-22`."""

Grouping = Literal["provider", "model", "tag", "day", "month"]


class UsageQuery(Struct, frozen=True, omit_defaults=True):
    """Which attempts to count, days inclusive, and what to group them by. At most `limit` groups come, the first ones.

    Grouped by tag, an attempt counts for each of its tags, also where only those with one `tag` count; in the total it
    counts once. What has no tag is a group of its own, without `tag`.
    """

    since: Day | None = None
    until: Day | None = None
    group_by: list[Grouping] = []
    provider: str | None = None
    model: str | None = None
    tag: Tag | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_GROUPS)] = 1000


class Savings(Struct, frozen=True, kw_only=True):
    """What was not paid thanks to caches, in decimal strings: the provider's prompt cache, and kept answers.

    Of the prompt cache it is the balance: writing to it may cost more than reading from it has saved.
    """

    prompt_cache: str
    response_cache: str
    currency: str = "USD"


class UsageGroup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some attempts together. Token counts are inclusive, as in `Usage`, and leave out what nobody counted.

    `cost` is the sum of all known costs, and its `source` the least certain of theirs; `unpriced` is the number of
    attempts that cost something unknown. Where these are all, the amount is `null`. `estimated` tells how many
    attempts' tokens were estimated.
    """

    provider: str | None = None
    model: str | None = None
    tag: str | None = None
    day: Day | None = None
    month: str | None = None
    attempts: int
    failed: int
    cancelled: int
    cached: int
    estimated: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost: Cost
    savings: Savings


class StorageState(Struct, frozen=True, omit_defaults=True):
    """Whether the ledger, budgets and kept answers are on disk, or in memory alone, and why.

    With a `problem`, what is told is what has happened since; what was on disk is left as it is there, and both are
    put together when the disk can be written again.
    """

    state: Literal["disk", "memory"]
    problem: str | None = None
    hint: str | None = None


class UsageSummary(Struct, frozen=True, kw_only=True):
    """The groups, ordered by what they are grouped by, and all attempts together. `truncated` if there are more groups.

    Without a grouping there are no groups, only the total.
    """

    groups: list[UsageGroup]
    total: UsageGroup
    truncated: bool
    storage: StorageState
