"""Where one target fails another is asked, as long as nothing of an answer has come."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, get_args

import anyio
import pytest
from calls import call_for
from hypothesis import given
from hypothesis import strategies as st
from inline_database import InlineDatabase
from msgspec.structs import replace
from virtual_time import VIRTUAL_TIME, VirtualTimeLoop

from sidecar.handler import Call, Candidate, Completion, Emit, Middleware, Target, tell
from sidecar.middleware.detour import COOLING, MAX_COOLDOWN_S, MAX_REMEMBERED, OWN_TO_TARGET, Cooldowns
from sidecar.middleware.fallback import fallback
from sidecar.middleware.retry import retry
from sidecar.schema.chat import FinishReason, Origin, Text, Warning
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.events import (
    ModelName,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    Status,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)
from sidecar.schema.session import Limits
from sidecar.schema.usage import Attempt, Cost
from sidecar.storage.ledger import Entry, Ledger

pytestmark = pytest.mark.anyio

STOP = FinishReason("stop")
COUNT = UsageDelta(input_tokens=7)
STAY: set[ErrorType] = {
    "content_filtered",
    "request_rejected",
    "output_invalid",
    "path_not_allowed",
    "provider_not_found",
    "download_failed",
    "checksum_mismatch",
    "disk_full",
    "model_in_use",
}
"""Failures that are not the host's or the sidecar's own, and after which nobody else is asked unless a host says so."""

OURS: set[ErrorType] = {
    "parse_error",
    "invalid_message",
    "duplicate_id",
    "not_batchable",
    "message_too_large",
    "method_not_found",
    "invalid_params",
    "internal_error",
    "server_busy",
    "shutting_down",
    "not_initialized",
    "already_initialized",
    "unsupported_protocol_version",
    "stream_id_in_use",
    "client_stalled",
    "connection_closed",
    "request_cancelled",
}


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


@dataclass
class Play:
    """What a target does when it is asked: it takes some time, emits, and then fails or is done."""

    events: tuple[StreamEvent, ...] = ()
    failure: SidecarError | None = None
    unresolved: SidecarError | None = None
    seconds: float = 0.0
    act: Callable[[Call], None] = lambda _: None


def failing(error_type: ErrorType, **details: Any) -> Play:
    return Play(failure=SidecarError(error_type, f"No, {error_type}.", **details))


def saying(text: str) -> Play:
    return Play((TextDelta(0, text), STOP))


def _from_the_cache(call: Call) -> None:
    call.cached = True


@dataclass
class Stage:
    """Targets by id, what each does next, and what was seen of it all."""

    plays: dict[str, list[Play]] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    told: list[StreamEvent] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        ledger = Ledger(InlineDatabase())
        ledger.watchers.append(self.entries.append)
        self.policy: Middleware = fallback(ledger, self.limits)
        self.handler = self.policy(self.perform)

    async def perform(self, call: Call, emit: Emit) -> Completion:
        """Do what an engine under a meter does."""
        play, outcome, error_type = self._play(call.target.id), "cancelled", None
        try:
            await asyncio.sleep(play.seconds)
            for event in play.events:
                call.transcript.add(event)
                await tell(emit, event)
            play.act(call)
            if play.failure is not None:
                outcome, error_type = "error", play.failure.type
                raise play.failure
            outcome = "ok"
            return call.completion()
        finally:
            call.attempts.append(attempt(call.target.id, outcome, error_type))

    def _play(self, id_: str) -> Play:
        plays = self.plays[id_]
        return plays.pop(0) if len(plays) > 1 else plays[0]

    async def resolve(self, target: Target) -> Target:
        self.tried.append(target.id)
        play = self.plays[target.id][0]
        if play.unresolved is not None:
            await asyncio.sleep(play.seconds)
            self._play(target.id)
            raise play.unresolved
        return replace(target, lacks=frozenset())

    def call(self, *ids: str, on: dict[str, set[ErrorType]] | None = None, **options: Any) -> Call:
        call = call_for(**options)
        candidates = [
            Candidate(target=one, on=frozenset((on or {}).get(one.id, ())), resolve=partial(self.resolve, one))
            for one in (replace(call.target, id=id_, model=f"m-{id_}") for id_ in ids)
        ]
        call.target = candidates[0].target
        if len(candidates) > 1:
            call.first, call.others = candidates[0], tuple(candidates[1:])
        return call

    async def emit(self, event: StreamEvent) -> None:
        self.told.append(event)

    async def ask(self, *ids: str, **options: Any) -> Call:
        """Return a call that was answered."""
        call = self.call(*ids, **options)
        await self.handler(call, self.emit)
        return call

    async def fail(self, *ids: str, **options: Any) -> tuple[Call, SidecarError]:
        """Return a call that failed, and how."""
        call = self.call(*ids, **options)
        with pytest.raises(SidecarError) as caught:
            await self.handler(call, self.emit)
        return call, caught.value

    def heard(self) -> list[StreamEvent]:
        """Return what was told since the last time."""
        told, self.told = self.told, []
        return told


def attempt(id_: str, outcome: Any, error_type: str | None = None) -> Attempt:
    return Attempt(provider=id_, model=f"m-{id_}", outcome=outcome, error_type=error_type, duration_ms=0)


def timeless(call: Call) -> list[Attempt]:
    return [replace(one, duration_ms=0) for one in call.attempts]


def from_to(left: str, right: str) -> Status:
    return Status(state="falling_back", from_=ModelName(left, f"m-{left}"), to=ModelName(right, f"m-{right}"))


def texts(told: list[StreamEvent]) -> list[str]:
    return [event.text for event in told if isinstance(event, TextDelta)]


async def test_the_next_is_asked_and_the_host_is_told() -> None:
    stage = Stage({"a": [failing("server_error")], "b": [saying("hello")]})
    call = await stage.ask("a", "b")
    assert stage.told == [from_to("a", "b"), TextDelta(0, "hello"), STOP]
    assert timeless(call) == [attempt("a", "error", "server_error"), attempt("b", "ok")]
    assert (call.target.id, call.transcript.message().content) == ("b", [Text("hello")])
    assert call.warnings == []


async def test_the_first_that_answers_is_the_last_that_is_asked() -> None:
    stage = Stage({"a": [saying("hello")], "b": [saying("never")]})
    call = await stage.ask("a", "b")
    assert (stage.tried, stage.told) == (["a"], [TextDelta(0, "hello"), STOP])
    assert timeless(call) == [attempt("a", "ok")]


def test_of_each_type_of_error_it_is_said_whether_another_is_asked() -> None:
    kinds = {kind for kind in get_args(ErrorType) if kind != "sidecar_not_found"}
    assert set(OWN_TO_TARGET) | STAY | OURS == kinds
    assert not OWN_TO_TARGET & (STAY | OURS)
    assert set(COOLING) < set(OWN_TO_TARGET)


@pytest.mark.parametrize("error_type", sorted(OWN_TO_TARGET))
async def test_another_is_asked_after(error_type: ErrorType) -> None:
    stage = Stage({"a": [failing(error_type)], "b": [saying("hello")]})
    assert (await stage.ask("a", "b")).target.id == "b"


@pytest.mark.parametrize("error_type", sorted(STAY | OURS))
async def test_nobody_else_is_asked_after(error_type: ErrorType) -> None:
    stage = Stage({"a": [failing(error_type)], "b": [saying("hello")]})
    _, error = await stage.fail("a", "b")
    assert (error.type, stage.tried, stage.told) == (error_type, ["a"], [])


async def test_a_host_may_say_after_what_a_candidate_is_asked() -> None:
    on: dict[str, set[ErrorType]] = {"b": {"content_filtered"}}
    stage = Stage({"a": [failing("content_filtered"), failing("server_error")], "b": [saying("hello")]})
    assert (await stage.ask("a", "b", on=on)).target.id == "b"
    _, error = await stage.fail("a", "b", on=on)
    assert (error.type, stage.tried) == ("server_error", ["a", "b", "a"])


async def test_a_candidate_that_is_for_something_else_is_left_out() -> None:
    on: dict[str, set[ErrorType]] = {"b": {"rate_limited"}, "c": {"context_length_exceeded"}}
    stage = Stage({"a": [failing("context_length_exceeded")], "b": [saying("b")], "c": [saying("c")]})
    await stage.ask("a", "b", "c", on=on)
    assert stage.told[0] == from_to("a", "c")


async def test_what_counts_is_the_failure_just_before() -> None:
    on: dict[str, set[ErrorType]] = {"c": {"context_length_exceeded"}}
    plays = {"a": [failing("server_error")], "b": [failing("context_length_exceeded")], "c": [saying("c")]}
    stage = Stage(plays)
    await stage.ask("a", "b", "c", on=on)
    assert stage.tried == ["a", "b", "c"]


@pytest.mark.parametrize("error_type", ["invalid_params", "client_stalled", "internal_error"])
async def test_a_failure_that_is_no_targets_is_told_as_it_is_whoever_was_asked(error_type: ErrorType) -> None:
    on: dict[str, set[ErrorType]] = {"c": {error_type}}
    stage = Stage({"a": [failing("server_error")], "b": [failing(error_type)], "c": [saying("c")]})
    call, error = await stage.fail("a", "b", "c", on=on)
    assert (error.type, call.target.id, stage.tried) == (error_type, "b", ["a", "b"])


class TestWhenAllFail:
    async def test_the_failure_of_the_one_that_was_asked_for_is_told_and_every_try_is_counted(self) -> None:
        plays = {
            "a": [failing("rate_limited", retry_after_ms=90_000, hint="Wait.")],
            "b": [Play(unresolved=SidecarError("credential_not_found"), seconds=1.5)],
            "c": [failing("authentication")],
        }
        stage = Stage(plays)
        call, error = await stage.fail("a", "b", "c")
        assert (error.type, error.details) == ("rate_limited", {"retry_after_ms": 90_000, "hint": "Wait."})
        assert (call.target.id, call.transcript.started, call.others) == ("a", False, ())
        assert timeless(call) == [
            attempt("a", "error", "rate_limited"),
            attempt("b", "error", "credential_not_found"),
            attempt("c", "error", "authentication"),
        ]

    async def test_a_failure_after_which_nobody_is_asked_ends_the_search(self) -> None:
        stage = Stage({"a": [failing("server_error")], "b": [failing("content_filtered")], "c": [saying("c")]})
        call, error = await stage.fail("a", "b", "c")
        assert (error.type, call.target.id, stage.tried) == ("server_error", "a", ["a", "b"])

    async def test_of_one_that_was_put_off_and_asked_last_it_is_the_new_failure(self) -> None:
        stage = Stage({"a": [failing("server_error"), failing("connect")], "b": [saying("b"), failing("dns")]})
        await stage.ask("a", "b")
        call, error = await stage.fail("a", "b")
        assert (error.type, call.target.id) == ("connect", "a")
        assert [one.error_type for one in call.attempts] == ["dns", "connect"]

    async def test_of_one_that_was_put_off_and_not_asked_at_all_it_is_that_of_who_was(self) -> None:
        stage = Stage({"a": [failing("server_error")], "b": [saying("b"), failing("content_filtered")]})
        await stage.ask("a", "b")
        call, error = await stage.fail("a", "b")
        assert (error.type, call.target.id) == ("content_filtered", "b")


class TestTargetsThatLackSomething:
    async def test_one_without_a_key_is_a_failure_like_others(self) -> None:
        stage = Stage({"a": [Play(unresolved=SidecarError("keyring_locked"), seconds=2)], "b": [saying("b")]})
        call = await stage.ask("a", "b")
        assert stage.told[0] == from_to("a", "b")
        assert timeless(call) == [attempt("a", "error", "keyring_locked"), attempt("b", "ok")]
        (entry,) = stage.entries
        assert (entry.provider, entry.kind, entry.model) == ("a", "scripted", "m-a")
        assert (entry.error_type, entry.cost) == ("keyring_locked", Cost(amount=None))

    async def test_what_others_have_recorded_is_not_recorded_twice(self) -> None:
        stage = Stage({"a": [failing("server_error")], "b": [saying("b")]})
        await stage.ask("a", "b")
        assert stage.entries == []

    async def test_what_a_policy_refused_before_it_was_asked_is_recorded(self) -> None:
        def within_budget(call: Call) -> None:
            if call.target.id == "a":
                raise SidecarError("budget_exceeded")

        stage = Stage({"b": [saying("b")]})
        inner = stage.perform

        async def budget(call: Call, emit: Emit) -> Completion:
            within_budget(call)
            return await inner(call, emit)

        call = stage.call("a", "b")
        stage.plays["a"] = [Play()]
        await stage.policy(budget)(call, stage.emit)
        assert timeless(call) == [attempt("a", "error", "budget_exceeded"), attempt("b", "ok")]
        assert [entry.error_type for entry in stage.entries] == ["budget_exceeded"]


class TestWhatIsSeen:
    async def test_nothing_of_a_target_that_fails_is_told_but_its_statuses(self) -> None:
        thinking, lost = Status(state="thinking"), Warning("lost", "Lost.")
        begun = Play((lost, COUNT, thinking), SidecarError("stream_interrupted"))
        stage = Stage({"a": [begun], "b": [saying("hello")]})
        call = await stage.ask("a", "b")
        assert stage.told == [thinking, from_to("a", "b"), TextDelta(0, "hello"), STOP]
        assert (call.transcript.warnings, call.transcript.usage) == ([], None)

    @pytest.mark.parametrize(
        "content",
        [
            TextDelta(0, "x"),
            ReasoningDelta(0, "x"),
            RefusalDelta(0, "x"),
            ToolCallDelta(0, "id", "name"),
            PartDelta(0, Text("x")),
        ],
        ids=lambda delta: type(delta).__name__,
    )
    async def test_what_was_held_back_comes_right_behind_the_first_content(self, content: StreamEvent) -> None:
        found, later = Warning("found", "Found."), UsageDelta(input_tokens=7, output_tokens=1)
        stage = Stage({"a": [Play((COUNT, found, later, content, COUNT, STOP))], "b": []})
        await stage.ask("a", "b")
        assert stage.told == [content, found, later, COUNT, STOP]

    async def test_an_answer_without_content_is_an_answer(self) -> None:
        stage = Stage({"a": [Play((COUNT, STOP))], "b": []})
        await stage.ask("a", "b")
        assert stage.told == [COUNT, STOP]

    async def test_after_content_nobody_else_is_asked(self) -> None:
        begun = Play((TextDelta(0, "once upon"),), SidecarError("stream_interrupted"))
        stage = Stage({"a": [failing("server_error")], "b": [begun], "c": [saying("c")]})
        call, error = await stage.fail("a", "b", "c")
        assert (error.type, call.target.id) == ("stream_interrupted", "b")
        assert call.transcript.message().content == [Text("once upon")]
        assert stage.told == [from_to("a", "b"), TextDelta(0, "once upon")]


async def test_each_target_starts_from_nothing() -> None:
    def leave_traces(call: Call) -> None:
        call.structured, call.repair, call.cost = "prompt", "seed", Cost(amount="1", source="provider")
        call.target = replace(call.target, lacks=frozenset({"seed"}))

    traces: list[Any] = []

    def look(call: Call) -> None:
        transcript = call.transcript
        traces.append((call.structured, call.repair, call.cost, call.target.lacks, transcript.usage, call.others))

    first = Play((COUNT,), SidecarError("server_error"), act=leave_traces)
    stage = Stage({"a": [first], "b": [Play((STOP,), act=look)]})
    await stage.ask("a", "b")
    assert traces == [(None, None, None, frozenset(), None, ())]


async def test_a_call_without_others_is_handed_on_as_it_is() -> None:
    seen: list[Any] = []

    async def handler(call: Call, emit: Emit) -> Completion:
        seen.append((call, emit))
        raise SidecarError("server_error")

    stage, call = Stage(), call_for()
    with pytest.raises(SidecarError):
        await stage.policy(handler)(call, stage.emit)
    assert seen == [(call, stage.emit)]
    assert timeless(call) == []


class TestCooldown:
    async def broken_at_first(self, error: SidecarError) -> Stage:
        """Return a stage on which `a` has failed once and `b` has answered."""
        stage = Stage({"a": [Play(failure=error), saying("a")], "b": [saying("b")]})
        await stage.ask("a", "b")
        assert texts(stage.heard()) == ["b"]
        return stage

    async def answers(self, stage: Stage) -> str:
        call = await stage.ask("a", "b")
        stage.heard()
        return call.target.id

    async def test_a_target_that_failed_is_passed_over_and_the_host_is_told(self) -> None:
        stage = await self.broken_at_first(SidecarError("provider_overloaded"))
        call = await stage.ask("a", "b")
        assert stage.told == [from_to("a", "b"), TextDelta(0, "b"), STOP]
        message = "a/m-a was not asked first, as it failed a moment ago."
        assert call.warnings == [Warning("fallback_skipped", message, "fallback")]
        assert timeless(call) == [attempt("b", "ok")]

    async def test_it_is_asked_first_again_after_the_limit(self) -> None:
        stage = await self.broken_at_first(SidecarError("timeout", stage="first_token"))
        await asyncio.sleep(29.9)
        assert await self.answers(stage) == "b"
        await asyncio.sleep(0.2)
        assert await self.answers(stage) == "a"

    async def test_an_answer_from_the_cache_says_nothing_of_the_target(self) -> None:
        stage = await self.broken_at_first(SidecarError("provider_overloaded"))
        kept = Play((TextDelta(0, "a"), STOP), act=_from_the_cache)
        stage.plays |= {"a": [kept], "b": [failing("server_error")], "c": [saying("c")]}
        assert await self.answers(stage) == "a"
        call = await stage.ask("a", "c")
        assert call.target.id == "c"

    @pytest.mark.parametrize(
        ("asked_ms", "seconds"), [(1_000, 1.0), (60_000, 60.0), (10_000_000, MAX_COOLDOWN_S)], ids=str
    )
    async def test_its_provider_may_say_when(self, asked_ms: int, seconds: float) -> None:
        stage = await self.broken_at_first(SidecarError("rate_limited", retry_after_ms=asked_ms))
        await asyncio.sleep(seconds - 0.1)
        assert await self.answers(stage) == "b"
        await asyncio.sleep(0.2)
        assert await self.answers(stage) == "a"

    @pytest.mark.parametrize("error_type", sorted(OWN_TO_TARGET - COOLING))
    async def test_what_lies_in_the_request_or_is_mended_at_any_moment_cools_nobody(
        self, error_type: ErrorType
    ) -> None:
        stage = await self.broken_at_first(SidecarError(error_type))
        assert await self.answers(stage) == "a"

    async def test_who_answers_after_all_is_asked_first_again(self) -> None:
        stage = Stage({"a": [failing("connect"), saying("a")], "b": [saying("b"), failing("model_not_found")]})
        assert [await self.answers(stage) for _ in range(3)] == ["b", "a", "a"]
        assert stage.tried == ["a", "b", "b", "a", "a"]

    async def test_when_all_are_cooling_they_are_asked_in_their_order(self) -> None:
        stage = Stage({"a": [failing("connect"), saying("a")], "b": [failing("connect")]})
        await stage.fail("a", "b")
        call = await stage.ask("a", "b")
        assert (call.target.id, call.warnings) == ("a", [])

    async def test_it_keeps_its_place_where_no_other_is_for_such_a_failure(self) -> None:
        stage = await self.broken_at_first(SidecarError("connect"))
        call = await stage.ask("a", "b", on={"b": {"rate_limited"}})
        assert (call.target.id, call.warnings) == ("a", [])

    async def test_it_is_passed_over_further_down_as_well(self) -> None:
        plays = {"a": [failing("authentication")], "b": [failing("connect")], "c": [saying("c")]}
        stage = Stage(plays)
        await stage.ask("a", "b", "c")
        call = await stage.ask("a", "b", "c")
        assert (stage.tried, call.warnings) == (["a", "b", "c", "a", "c"], [])

    async def test_another_model_of_a_provider_is_not_passed_over(self) -> None:
        stage = await self.broken_at_first(SidecarError("connect"))
        call = stage.call("a", "b")
        assert call.first is not None
        other = replace(call.first.target, model="another")
        call.first = replace(call.first, target=other, resolve=partial(stage.resolve, other))
        await stage.handler(call, stage.emit)
        assert call.target.model == "another"

    async def test_one_that_was_cancelled_has_not_failed(self) -> None:
        stage = Stage({"a": [Play(seconds=60), saying("a")], "b": [saying("b")]})
        call = stage.call("a", "b")
        with anyio.move_on_after(1) as scope:
            await stage.handler(call, stage.emit)
        assert scope.cancelled_caught
        assert timeless(call) == [attempt("a", "cancelled")]
        assert await self.answers(stage) == "a"

    async def test_an_answer_that_broke_off_is_a_failure(self) -> None:
        begun = Play((TextDelta(0, "once"),), SidecarError("stream_interrupted"))
        stage = Stage({"a": [begun, saying("a")], "b": [saying("b")]})
        await stage.fail("a", "b")
        assert await self.answers(stage) == "b"

    async def test_a_limit_of_nothing_switches_it_off(self) -> None:
        stage = Stage({"a": [failing("connect"), saying("a")], "b": [saying("b")]}, limits=Limits(cooldown_ms=0))
        assert [await self.answers(stage) for _ in range(2)] == ["b", "a"]


def test_the_oldest_failures_are_forgotten() -> None:
    cooldowns, error = Cooldowns(30.0), SidecarError("connect")
    targets = [Origin("a", "e", str(number)) for number in range(MAX_REMEMBERED + 1)]
    for target in targets[:-1]:
        cooldowns.failed(target, error, 0.0)
    cooldowns.failed(targets[0], error, 0.0)
    cooldowns.failed(targets[-1], error, 0.0)
    assert [cooldowns.reason(target, 1.0) for target in targets[:3]] == ["connect", None, "connect"]


class TestBesideRetries:
    async def tried(self, *ids: str, asked_ms: int, on: dict[str, set[ErrorType]] | None = None) -> list[str]:
        """Return whom a question went to whose first attempt is put off for so long."""
        stage = Stage({"a": [failing("rate_limited", retry_after_ms=asked_ms), saying("a")], "b": [saying("b")]})
        call = stage.call(*ids, on=on)
        await stage.policy(retry(stage.perform))(call, stage.emit)
        return [one.provider for one in call.attempts]

    async def test_a_short_pause_is_waited_for_before_another_is_asked(self) -> None:
        assert await self.tried("a", "b", asked_ms=2_000) == ["a", "a"]

    async def test_a_long_pause_is_not_waited_for_where_another_may_be_asked_at_once(self) -> None:
        assert await self.tried("a", "b", asked_ms=60_000) == ["a", "b"]
        assert await self.tried("a", asked_ms=60_000) == ["a", "a"]
        assert await self.tried("a", "b", asked_ms=60_000, on={"b": {"dns"}}) == ["a", "a"]


KINDS: list[ErrorType] = ["server_error", "authentication", "context_length_exceeded", "content_filtered"]
ENDINGS = ("answers", "fails", "breaks off", "lacks something")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, set[ErrorType]], list[tuple[float, list[tuple[str, ErrorType]]]]]:
    """Draw after what each candidate is asked, and rounds: when they come and how everybody would end in them."""
    size = draw(st.integers(2, 5))
    kinds = st.sampled_from(KINDS)
    on = {name: draw(st.sets(kinds, max_size=2)) for name in "bcde"[: size - 1]}
    ending = st.tuples(st.sampled_from(ENDINGS), kinds)
    rounds = draw(
        st.lists(
            st.tuples(st.sampled_from([0.0, 20.0, 31.0]), st.lists(ending, min_size=size, max_size=size)), max_size=4
        )
    )
    return on, rounds


def play(name: str, ending: str, kind: ErrorType) -> Play:
    content = TextDelta(0, f"by {name}")
    error = SidecarError(kind, name)
    return {
        "answers": Play((COUNT, content, STOP)),
        "fails": Play((COUNT, Status(state="thinking")), error),
        "breaks off": Play((COUNT, content), error),
        "lacks something": Play(unresolved=error),
    }[ending]


def asked(on: set[ErrorType], kind: ErrorType) -> bool:
    return kind in on if on else kind != "content_filtered"


class Expected:
    """What the rules say, round after round, in the most literal way."""

    def __init__(self, on: dict[str, set[ErrorType]]) -> None:
        self.on: dict[str, set[ErrorType]] = {"a": set(), **on}
        self.cool: dict[str, float] = {}

    def tries(self, now: float, endings: dict[str, tuple[str, ErrorType]]) -> list[str]:
        cooling = {name for name in self.on if self.cool.get(name, -1.0) > now}
        ready = [name for name in self.on if name not in cooling]
        late = [name for name in cooling if any(asked(self.on[other], "server_error") for other in ready)]
        order = [name for name in self.on if name not in late] + [name for name in self.on if name in late]
        last: ErrorType | None = "server_error" if "a" in late else None
        tries: list[str] = []
        for name in order:
            if last is not None and not asked(self.on[name], last):
                continue
            tries.append(name)
            ending, kind = endings[name]
            if ending == "answers":
                self.cool.pop(name, None)
                break
            if kind == "server_error":
                self.cool[name] = now + 30.0
            if ending == "breaks off":
                break
            last = kind
        return tries


@given(worlds())
def test_whatever_fails_the_order_is_as_stated_and_all_text_is_from_one(world: Any) -> None:
    on, rounds = world

    async def live() -> None:
        stage, expected = Stage(), Expected(on)
        for pause, endings in rounds:
            await asyncio.sleep(pause)
            named = dict(zip(expected.on, endings, strict=True))
            stage.plays = {name: [play(name, *ending)] for name, ending in named.items()}
            stage.tried.clear()
            await _hold(stage, expected, named, on)

    _in_virtual_time(live())


async def _hold(
    stage: Stage, expected: Expected, endings: dict[str, tuple[str, ErrorType]], on: dict[str, set[ErrorType]]
) -> None:
    """Ask once, and compare."""
    call = stage.call(*endings, on=on)
    tries = expected.tries(asyncio.get_running_loop().time(), endings)
    error: SidecarError | None = None
    try:
        await stage.handler(call, stage.emit)
    except SidecarError as failure:
        error = failure
    last = tries[-1]
    told = stage.heard()
    with_content = endings[last][0] in ("answers", "breaks off")
    assert stage.tried == [one.provider for one in call.attempts] == tries
    assert texts(told) == ([f"by {last}"] if with_content else [])
    assert [event for event in told if isinstance(event, UsageDelta)] == ([COUNT] if with_content else [])
    left = ["a", *tries] if tries[0] != "a" else tries
    steps = [event for event in told if isinstance(event, Status) and event.state == "falling_back"]
    assert steps == [from_to(one, other) for one, other in pairwise(left)]
    if endings[last][0] == "answers":
        assert error is None
        assert call.target.id == last
    else:
        source = last if with_content else "a" if "a" in tries else tries[0]
        assert error is not None
        assert (error.message, call.target.id) == (source, source)


def _in_virtual_time(test: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(test)
