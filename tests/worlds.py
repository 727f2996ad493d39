"""Worlds for property tests: what providers do, what hosts want, and what is allowed."""

from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st
from policy_world import Caller, Detour, World
from unruly import PLAIN, Charge, Count, Defect, Fail, Finish, Hang, Hear, Pause, Say, Script, Sent, Show, Warn

from sidecar.schema.budgets import BudgetParams
from sidecar.schema.policies import CacheOptions, RateLimits, Timeouts

TARGETS: Final = st.sampled_from("aaaabbcd")


def some(*values: Any) -> Any:
    """Return one of these; examples that fail are shrunk towards the first."""
    return st.sampled_from(values)


def seldom(values: Any) -> Any:
    """Return nothing as a rule, and else one of these."""
    return st.integers(0, 7).flatmap(lambda chance: values if chance > 6 else st.none())


def steps(*parts: Any) -> Any:
    """Return scripts made of parts, each a step or a list of steps."""
    return st.tuples(*parts).map(
        lambda made: tuple(step for part in made for step in (part if isinstance(part, list | tuple) else [part]))
    )


PASSING = some("rate_limited", "provider_overloaded", "server_error", "connect", "stream_interrupted")
LASTING = some("authentication", "insufficient_quota", "request_rejected", "content_filtered", "timeout")
FAILURES = st.builds(
    Fail,
    PASSING | PASSING | LASTING,
    some(None, 100, 60_000, 200_000),
    some(None, 400, 429, 503),
    some(None, True, False),
    some(None, "temperature", "seed", "opaque"),
)
HEADERS = some(
    (("x-ratelimit-remaining-requests", "1"), ("x-ratelimit-reset-requests", "20s")),
    (("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "300ms")),
    (("x-ratelimit-limit-tokens", "100"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "200s")),
    (("x-ratelimit-remaining-requests", "much"),),
)
PAUSES = st.builds(Pause, some(0.001, 1.0, 10.0, 100.0, 1000.0))
COUNTS = st.builds(Count, some(None, 7, 1000), some(None, 0, 3))
ASIDE = st.one_of(
    st.builds(Show, some("connecting", "waiting_first_token", "thinking")), st.builds(Warn), COUNTS, PAUSES
)
CONTENT = st.builds(Say, some("text", "reasoning", "tool_call", "part", "json", "half of json")) | PAUSES | COUNTS
TROUBLE = some((), (Hang(),), (Defect(),)) | FAILURES
ENDINGS = st.one_of(
    st.builds(Finish, some("stop", "length", "refusal", "tool_calls")),
    st.just((Charge("0.03"), Finish())),
    TROUBLE,
)
HEARD = some((), ()) | st.builds(Hear, HEADERS)
SCRIPTS = st.one_of(
    st.just(PLAIN),
    steps(st.just(Sent()), HEARD, st.lists(ASIDE, max_size=2), st.lists(CONTENT, max_size=4), ENDINGS),
    steps(st.lists(ASIDE, max_size=1), HEARD, TROUBLE),
    steps(st.just(Sent()), COUNTS, FAILURES),
)
BEHAVIOURS: st.SearchStrategy[tuple[Script, ...]] = st.lists(SCRIPTS, min_size=1, max_size=4).map(tuple)
"""What one target does, run by run."""

MS = some(None, None, None, 1, 500, 5_000, 50_000)
SECONDS = some(0.0, 0.001, 0.3, 1.0, 5.0, 50.0)
DETOURS = st.builds(
    Detour,
    st.sampled_from("bcda"),
    some((), ("rate_limited",), ("server_error", "timeout"), ("output_invalid", "request_rejected")),
    seldom(st.just("credential_not_found")),
)
CALLERS = st.builds(
    Caller,
    at=SECONDS,
    question=some("one", "one", "two"),
    target=TARGETS,
    leaves=seldom(SECONDS),
    slow=some(0.0, 0.0, 2.0),
    stalls=seldom(st.integers(0, 3)),
    wants_json=some(*[False] * 5, True),
    max_retries=st.none() | st.integers(0, 3),
    timeouts=some(None) | st.builds(Timeouts, MS, MS, MS, MS),
    tags=some((), ("x",), ("x", "y")),
    lacks=seldom(some("credential_not_found", "provider_not_configured")),
    others=some(()) | st.lists(DETOURS, min_size=1, max_size=3, unique_by=lambda detour: detour.target).map(tuple),
    cache=st.none() | st.builds(CacheOptions, some("on", "read", "write", "off"), some(None, 1)),
)
ALONE = st.lists(CALLERS, min_size=1, max_size=4)
MANNERS = st.fixed_dictionaries(
    {"at": SECONDS, "leaves": seldom(SECONDS), "slow": some(0.0, 2.0), "stalls": seldom(st.integers(0, 3))}
)
TOGETHER = st.builds(
    lambda caller, manners: [replace(caller, cache=CacheOptions(), **manner) for manner in manners],
    CALLERS,
    st.lists(MANNERS, min_size=2, max_size=4),
)
"""Who ask the same, each in his own manner."""

RATES = st.one_of(
    st.builds(RateLimits, concurrency=some(1, 2)),
    st.builds(RateLimits, requests_per_minute=some(1, 2)),
    st.builds(RateLimits, some(None, 1, 2), some(None, 10, 3000), some(None, 1, 2)),
)
BUDGETS = st.builds(
    BudgetParams,
    id=some("all", "of x"),
    amount=some("0.05", "0.1", "0.02", "1"),
    period=st.just("total"),
    tag=some(None, "x"),
)
WORLDS = st.builds(
    World,
    scripts=st.tuples(*[BEHAVIOURS] * 4).map(
        lambda made: {t: b for t, b in zip("abcd", made, strict=True) if b != (PLAIN,)}
    ),
    callers=(ALONE | TOGETHER).map(tuple),
    rate_limits=some({}) | st.dictionaries(TARGETS, RATES, min_size=1),
    budgets=some(()) | st.lists(BUDGETS, max_size=2, unique_by=lambda budget: budget.id).map(tuple),
    limits=some({}, {"max_queued": 1}, {"max_wait_ms": 3000}, {"cooldown_ms": 1}),
)
