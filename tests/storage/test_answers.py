"""Kept answers: how long, how many, and which have to go."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inline_database import InlineDatabase

from sidecar.schema.chat import Base64Source, File, FinishReason, Warning
from sidecar.schema.events import Delta, PartDelta, TextDelta, ToolCallDelta, UsageDelta
from sidecar.schema.ledger import StorageState
from sidecar.schema.session import Limits
from sidecar.schema.usage import Cost
from sidecar.storage import answers as storage
from sidecar.storage.answers import DROPPED_AT_ONCE, JOINED, MEMORY_BYTES, ROW_BYTES, Answers, Entry, KeptAnswer
from sidecar.storage.database import Database

pytestmark = pytest.mark.anyio

DAY = 86_400


class Clock:
    """Seconds since 1970, as a test says."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def kept(*deltas: Delta, text: str = "Hello") -> KeptAnswer:
    return KeptAnswer(
        deltas=list(deltas or [TextDelta(0, text)]),
        finish=FinishReason("stop", "end"),
        warnings=[Warning("a", "b", "c")],
        structured="tool",
        cost=Cost(amount="0.1", source="table", estimated=True),
    )


def entry(name: str | int = "k", *tags: str, ttl_s: int | None = None) -> Entry:
    return Entry(str(name).encode(), tags, ttl_s)


def shelf(clock: Callable[[], float] | None = None, **limits: int) -> Answers:
    return Answers(InlineDatabase(), Limits(**limits), clock or Clock())


SIZE = 239 + ROW_BYTES
"""Of `kept()`."""


async def test_an_answer_comes_back_as_it_was() -> None:
    answers = shelf()
    answers.keep(entry(), kept())
    assert await answers.find(b"k", None) == kept()
    assert await answers.find(b"other", None) is None
    assert (await answers.stats()).bytes == SIZE


async def test_every_kind_of_event_comes_back() -> None:
    drawn = File("image/png", Base64Source(storage.msgspec.Raw(b'"aGk="')), "a.png")
    deltas: list[Delta] = [
        TextDelta(0, "ü\u2028\x00"),
        ToolCallDelta(1, "c", "f", '{"a":'),
        ToolCallDelta(2, arguments="1}"),
        PartDelta(3, drawn),
        UsageDelta(input_tokens=1, output_tokens=2, source="estimated"),
    ]
    answers = shelf()
    answers.keep(entry(), kept(*deltas))
    found = await answers.find(b"k", None)
    assert found
    assert found.deltas[:3] + found.deltas[4:] == deltas[:3] + deltas[4:]
    part = found.deltas[3]
    assert isinstance(part, PartDelta)
    assert isinstance(part.part, File)
    assert isinstance(part.part.source, Base64Source)
    assert bytes(part.part.source.data) == b'"aGk="'


async def test_neighbours_are_joined_but_not_all_of_a_long_answer() -> None:
    answers = shelf()
    answers.keep(entry(), kept(*[TextDelta(0, "x")] * (JOINED + 1), TextDelta(1, "y")))
    found = await answers.find(b"k", None)
    assert found
    assert found.deltas == [TextDelta(0, "x" * JOINED), TextDelta(0, "x"), TextDelta(1, "y")]


async def test_a_later_answer_takes_the_place_of_an_earlier_one() -> None:
    answers = shelf()
    for text in ("one", "other"):
        answers.keep(entry(), kept(text=text))
    assert await answers.find(b"k", None) == kept(text="other")
    stats = await answers.stats()
    assert (stats.entries, stats.stored) == (1, 2)


async def test_what_has_expired_is_gone_and_makes_room_first() -> None:
    clock = Clock()
    answers = shelf(clock)
    answers.keep(entry("short", ttl_s=10), kept())
    answers.keep(entry("long"), kept())
    clock.now += 11
    assert await answers.find(b"short", None) is None
    assert (await answers.stats()).entries == 2
    answers.keep(entry("new"), kept())
    assert (await answers.stats()).entries == 2
    assert await answers.find(b"long", None) == kept()


async def test_an_answer_from_the_future_is_not_believed() -> None:
    clock = Clock()
    answers = shelf(clock)
    answers.keep(entry(), kept())
    clock.now -= 60
    assert await answers.find(b"k", None) is None


async def test_what_was_not_used_for_longest_makes_room() -> None:
    answers = shelf(cache_bytes=3 * SIZE)
    for name, text in {"a": "Hello", "b": "Hello", "c": "Hell"}.items():
        answers.keep(entry(name), kept(text=text))
    await answers.find(b"a", None)
    answers.keep(entry("d"), kept())
    assert [name for name in "abcd" if await answers.find(name.encode(), None)] == ["a", "c", "d"]
    assert (await answers.stats()).bytes == 3 * SIZE - 1


async def test_all_together_are_never_larger_than_allowed() -> None:
    answers = shelf(cache_bytes=10 * SIZE)
    for number in range(60):
        answers.keep(entry(number), kept(text="x" * (number * 997 % 5000)))
        stats = await answers.stats()
        assert 0 < stats.bytes <= stats.max_bytes == 10 * SIZE


async def test_making_room_for_one_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "DROPPED_AT_ONCE", 3)
    answers = shelf(cache_bytes=10 * SIZE)
    for number in range(10):
        answers.keep(entry(number), kept())
    large = kept(text="x" * 7 * SIZE)
    answers.keep(entry("large"), large)
    assert await answers.find(b"large", None) is None
    assert (await answers.stats()).entries == 7
    answers.keep(entry("large"), large)
    answers.keep(entry("large"), large)
    assert await answers.find(b"large", None) == large


async def test_an_answer_is_as_long_as_allowed_at_most() -> None:
    answers = shelf(cache_answer_bytes=SIZE - ROW_BYTES)
    answers.keep(entry("a"), kept())
    answers.keep(entry("b"), kept(text="Hello!"))
    assert (await answers.stats()).entries == 1
    assert await answers.find(b"b", None) is None


async def test_in_memory_there_is_room_for_less(tmp_path: Path) -> None:
    assert (await shelf().stats()).max_bytes == MEMORY_BYTES
    assert (await shelf(cache_bytes=1000).stats()).max_bytes == 1000
    database = Database(tmp_path)
    stats = await Answers(database, Limits()).stats()
    await database.close(5)
    assert (stats.max_bytes, stats.storage) == (Limits().cache_bytes, StorageState("disk"))


@pytest.mark.parametrize(
    ("tag", "removed", "left"),
    [(None, 4, []), ("a", 2, ["none", "b"]), ("b", 2, ["none", "a"]), (",", 0, ["none", "a", "b", "both"])],
)
async def test_answers_are_dropped_by_tag_or_all(tag: str | None, removed: int, left: list[str]) -> None:
    answers = shelf()
    for name, tags in {"none": (), "a": ("a",), "b": ("b",), "both": ("a", "b")}.items():
        answers.keep(entry(name, *tags), kept())
    assert await answers.clear(tag) == removed
    assert [name for name in ("none", "a", "b", "both") if await answers.find(name.encode(), None)] == left


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff",
        b'{"deltas":[{"type":"new"}]}',
        b'{"deltas":[{"type":"text","index":0,"text":"\xff"}]}',
        b"[" * 100_000,
    ],
)
async def test_what_cannot_be_read_is_dropped(damage: bytes) -> None:
    answers = shelf()
    answers.keep(entry(), kept())
    await answers._database.ask(lambda connection: connection.execute("UPDATE answers SET answer = ?", (damage,)))
    assert await answers.find(b"k", None) is None
    assert (await answers.stats()).entries == 0


async def test_what_is_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    for number in range(3):
        database = Database(tmp_path)
        answers = Answers(database, Limits())
        if number == 0:
            answers.keep(entry(), kept())
        assert await answers.find(b"k", None) == kept()
        await database.close(5)


async def test_two_processes_keep_to_one_bound(tmp_path: Path) -> None:
    databases = [Database(tmp_path) for _ in range(2)]
    shelves = [Answers(database, Limits(cache_bytes=4 * SIZE)) for database in databases]
    for number in range(12):
        shelves[number % 2].keep(entry(number), kept())
        assert await shelves[number % 2].find(str(number).encode(), None) == kept()
    for answers in shelves:
        assert (await answers.stats()).entries == 4
    for database in databases:
        await database.close(5)


async def test_a_full_cache_takes_answers_quickly() -> None:
    """What all answers together take is read from an index; it would take seconds from the answers themselves."""
    answers = shelf(cache_bytes=20_000 * SIZE)
    row = (1_800_000_000_000, 1_900_000_000_000, SIZE, "[]", b"x" * 5000)

    def fill(connection: Any) -> None:
        insert = "INSERT INTO answers VALUES (?1, ?2, ?3, ?2, ?4, ?5, ?6)"
        connection.executemany(insert, ((str(number).encode(), *row) for number in range(20_000)))

    await answers._database.ask(fill)
    started = time.perf_counter()
    answers.keep(entry("new"), kept())
    assert time.perf_counter() - started < 0.5
    assert await answers.find(b"new", None) == kept()
    plan = await answers._database.ask(
        lambda connection: connection.execute(
            "EXPLAIN QUERY PLAN SELECT count(*), coalesce(sum(size), 0) FROM answers INDEXED BY answers_by_use"
        ).fetchall()
    )
    assert "COVERING INDEX" in str(plan)
    assert DROPPED_AT_ONCE == 1000
