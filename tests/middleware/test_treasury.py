"""Budgets count what is spent, here and elsewhere, and outlive what keeps them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from entries import entry
from inline_database import InlineDatabase
from virtual_time import VIRTUAL_TIME

from sidecar.middleware.treasury import REFRESH_S, Budgets
from sidecar.schema.budgets import MAX_BUDGETS, Budget, BudgetParams
from sidecar.schema.chat import Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.ledger import StorageState
from sidecar.schema.usage import Cost
from sidecar.storage.budgets import Tally
from sidecar.storage.connections import Job
from sidecar.storage.database import Database
from sidecar.storage.ledger import Ledger

pytestmark = pytest.mark.anyio

T = TypeVar("T")

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOLLAR = 10**12
WAIT_MS = 1000


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class House:
    """A process: its database, its ledger, its budgets and its clock."""

    def __init__(self, database: Database | None = None) -> None:
        self.database = database or InlineDatabase()
        self.clock = Clock()
        self.ledger = Ledger(self.database)
        self.budgets = Budgets(self.database, self.ledger, WAIT_MS, self.clock)

    def put(self, id_: str = "b", amount: str | None = "1", **fields: Any) -> None:
        self.budgets.put(BudgetParams(id=id_, amount=amount, **fields))

    def spend(self, amount: str | None, *tags: str) -> None:
        self.ledger.enter(entry(at=self.clock.now, cost=Cost(amount=amount), tags=tags))

    async def listed(self) -> list[Budget]:
        return (await self.budgets.listed()).budgets

    async def spent(self) -> dict[str, str]:
        return {budget.id: budget.spent for budget in await self.listed()}


class FileDatabase(Database):
    """Does each job at once, in the thread that asks; or none, while it is `stuck`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked = 0
        self.stuck = False
        self._held: list[Callable[[], None]] = []

    def post(self, job: Job[Any]) -> None:
        super().post(job)
        self._flush()

    def _submit(self, work: Callable[[], T]) -> "Future[T]":
        done: Future[T] = Future()

        def act() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed to whoever asked
                done.set_exception(error)

        if self.stuck:
            self._held.append(act)
        else:
            act()
        return done

    def reading(self, job: Any) -> Any:
        self.asked += 1
        return super().reading(job)

    def release(self) -> None:
        self.stuck = False
        held, self._held = self._held, []
        for act in held:
            act()


async def test_a_budget_is_told_as_it_stands() -> None:
    house = House()
    house.put("food", "2.50", period="month", tag="lunch", warn_at=0.5)
    house.spend("0.25", "lunch", "other")
    house.spend("9", "dinner")
    house.spend(None, "lunch")
    await house.budgets.refresh()
    house.budgets.reserve(DOLLAR, ("lunch",))
    listed = await house.budgets.listed()
    assert listed.storage == StorageState("memory")
    (found,) = listed.budgets
    assert found.resets_at is not None
    assert datetime.fromisoformat(found.resets_at) == datetime(2026, 12, 1).astimezone()
    assert found == Budget(
        id="food",
        amount="2.50",
        period="month",
        warn_at=0.5,
        spent="0.25",
        reserved="1",
        state="ok",
        unpriced=1,
        tag="lunch",
        resets_at=found.resets_at,
    )


async def test_budgets_come_in_the_order_of_their_ids_the_latest_of_each() -> None:
    house = House()
    for id_, amount in (("b", "1"), ("a", "1"), ("c", "1"), ("b", "3"), ("c", None), ("nobody", None)):
        house.put(id_, amount, period="total")
    assert [(budget.id, budget.amount, budget.resets_at) for budget in await house.listed()] == [
        ("a", "1", None),
        ("b", "3", None),
    ]


async def test_there_is_a_bound() -> None:
    house = House()
    for number in range(MAX_BUDGETS):
        house.put(str(number))
    with pytest.raises(SidecarError, match="100 budgets") as raised:
        house.put("one more")
    assert (raised.value.type, raised.value.details) == ("invalid_params", {"param": "id"})
    house.put("7", "9")
    house.put("8", None)
    house.put("one more")
    assert len(await house.listed()) == MAX_BUDGETS


async def test_a_budget_that_is_set_late_counts_what_was_spent_before() -> None:
    house = House()
    house.spend("0.5")
    house.put()
    assert await house.spent() == {"b": "0.5"}


@pytest.mark.parametrize(("period", "later"), [("day", 1), ("week", 7), ("month", 31)])
async def test_a_new_period_begins_with_nothing_spent(period: str, later: int) -> None:
    house = House()
    house.put(period=period)
    house.put("all", period="total")
    house.spend("1")
    await house.budgets.refresh()
    with pytest.raises(SidecarError):
        house.budgets.reserve(1, ())
    house.clock.now += timedelta(days=later)
    house.put("all", None)
    house.spend("0.25")
    await house.budgets.refresh()
    with pytest.raises(SidecarError):
        house.budgets.reserve(DOLLAR * 3 // 4 + 1, ())
    house.budgets.reserve(DOLLAR * 3 // 4, ())
    assert await house.spent() == {"b": "0.25"}


async def test_what_would_exceed_a_budget_is_refused_by_its_name() -> None:
    house = House()
    house.put("wide", "9")
    house.put("tight", "1.5", period="day")
    house.spend("0.5")
    await house.budgets.refresh()
    house.budgets.reserve(DOLLAR // 4, ())
    house.budgets.reserve(DOLLAR * 3 // 4, ())
    with pytest.raises(SidecarError) as raised:
        house.budgets.reserve(1234, ())
    error = raised.value
    assert error.type == "budget_exceeded"
    assert error.message == (
        "The budget tight does not suffice: 0.5 of 1.5 US dollars are spent, requests in progress may cost 1,"
        " this one 0.000000001234."
    )
    midnight = (NOON.astimezone().replace(hour=0) + timedelta(days=1)).isoformat()
    assert error.details == {
        "param": "tight",
        "hint": f"A new period begins at {midnight}; budgets.set raises it.",
    }


async def test_what_is_refused_is_told_briefly_where_there_is_little_to_tell() -> None:
    house = House()
    house.put("b", "0", period="total")
    await house.budgets.refresh()
    with pytest.raises(SidecarError) as raised:
        house.budgets.reserve(1, ())
    assert raised.value.message == "The budget b does not suffice: 0 of 0 US dollars are spent."
    assert raised.value.details == {"param": "b", "hint": "budgets.set raises it."}


async def test_what_costs_nothing_is_allowed_by_a_used_up_budget() -> None:
    house = House()
    house.put("b", "0.5")
    house.spend("1")
    await house.budgets.refresh()
    house.budgets.settle(house.budgets.reserve(0, ()))


async def test_a_budget_for_a_tag_is_nobody_elses() -> None:
    house = House()
    house.put("b", "0", tag="work")
    await house.budgets.refresh()
    assert house.budgets.concern(("work", "x"))
    assert not house.budgets.concern(("x",))
    house.budgets.reserve(DOLLAR, ("x",))
    with pytest.raises(SidecarError):
        house.budgets.reserve(1, ("work",))
    assert (await house.listed())[0].reserved == "0"


async def test_what_is_spent_counts_at_once_for_its_tags_and_its_period() -> None:
    house = House()
    house.put("all", "9", period="day")
    house.put("work", "9", period="day", tag="work")
    await house.budgets.refresh()
    house.spend("0.5", "work")
    house.spend("0.25", "play")
    house.clock.now -= timedelta(days=1)
    house.spend("4", "work")
    house.clock.now += timedelta(days=1)
    house.spend(None, "work")
    tallies = {budget.id: house.budgets._tally(budget) for budget in house.budgets._budgets.values()}
    assert tallies == {"all": Tally(DOLLAR * 3 // 4, 1), "work": Tally(DOLLAR // 2, 1)}


async def test_what_was_set_apart_is_given_back() -> None:
    house = House()
    house.put()
    await house.budgets.refresh()
    reservation = house.budgets.reserve(DOLLAR, ())
    with pytest.raises(SidecarError):
        house.budgets.reserve(1, ())
    house.budgets.settle(reservation)
    house.budgets.reserve(DOLLAR, ())
    assert (await house.listed())[0].reserved == "1"


async def test_each_budget_that_is_nearly_used_up_warns() -> None:
    house = House()
    house.put("half", "2", warn_at=0.5)
    house.put("used up", "1", period="day")
    house.put("others", "1", tag="x")
    house.put("wide", "9")
    house.spend("1")
    await house.budgets.refresh()
    assert house.budgets.warnings(()) == [
        Warning("budget_warning", "Of the budget half, 1 of 2 US dollars are spent.", "half"),
        Warning("budget_warning", "Of the budget used up, 1 of 1 US dollars are spent.", "used up"),
    ]


class TestFile:
    """Budgets that are kept in a file."""

    async def test_without_budgets_nothing_is_waited_for_and_no_file_is_made(self, tmp_path: Path) -> None:
        house = House(FileDatabase(tmp_path))
        assert not house.budgets.idle
        assert await house.budgets.refresh()
        assert house.budgets.idle
        assert house.database._connection is None
        assert not database_file(tmp_path)
        await asyncio.sleep(REFRESH_S)
        assert not house.budgets.idle

    async def test_without_budgets_a_slow_file_is_waited_for_once(self, tmp_path: Path) -> None:
        database = FileDatabase(tmp_path)
        house = House(database)
        house.spend("1")
        assert await house.budgets.refresh()
        database.stuck = True
        await asyncio.sleep(REFRESH_S)
        before = asyncio.get_running_loop().time()
        assert await house.budgets.refresh()
        assert asyncio.get_running_loop().time() == before

    async def test_budgets_can_be_looked_for_before_they_are_needed(self, tmp_path: Path) -> None:
        House(FileDatabase(tmp_path)).put()
        database = FileDatabase(tmp_path)
        house = House(database)
        house.budgets.look()
        assert await house.budgets.refresh()
        assert (list(house.budgets._budgets), database.asked) == (["b"], 1)

    async def test_budgets_outlive_the_process(self, tmp_path: Path) -> None:
        house = House(FileDatabase(tmp_path))
        house.put("b", "1", period="total", tag="x", warn_at=0.5)
        house.put("gone")
        house.put("gone", None)
        house.spend("0.5", "x")
        later = House(FileDatabase(tmp_path))
        assert await later.budgets.refresh()
        with pytest.raises(SidecarError):
            later.budgets.reserve(DOLLAR, ("x",))
        (found,) = await later.listed()
        assert (found.id, found.period, found.tag, found.warn_at, found.spent) == ("b", "total", "x", 0.5, "0.5")

    async def test_processes_share_budgets_and_what_is_spent_of_them(self, tmp_path: Path) -> None:
        one, other = House(FileDatabase(tmp_path)), House(FileDatabase(tmp_path))
        one.put()
        assert await other.budgets.refresh()
        for _ in range(3):
            one.spend("0.125")
            other.spend("0.0625")
        assert await one.spent() == await other.spent() == {"b": "0.5625"}
        one.put("b", None)
        assert await other.spent() == {}

    async def test_the_file_is_asked_now_and_then(self, tmp_path: Path) -> None:
        database = FileDatabase(tmp_path)
        house, other = House(database), House(FileDatabase(tmp_path))
        house.put()
        for _ in range(50):
            await house.budgets.refresh()
        assert database.asked == 1
        other.spend("1")
        await house.budgets.refresh()
        house.budgets.settle(house.budgets.reserve(1, ()))
        await asyncio.sleep(REFRESH_S)
        await asyncio.gather(*(house.budgets.refresh() for _ in range(50)))
        with pytest.raises(SidecarError):
            house.budgets.reserve(1, ())
        assert database.asked == 2

    async def test_what_is_set_while_the_file_is_read_counts(self, tmp_path: Path) -> None:
        House(FileDatabase(tmp_path)).put("old", "1")
        database = FileDatabase(tmp_path)
        house = House(database)
        database.stuck = True
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(house.budgets.refresh())
            await asyncio.sleep(0)
            house.put("new", "2")
            house.put("old", None)
            database.release()
        assert waiting.result()
        assert list(house.budgets._budgets) == ["new"]
        assert list(await house.spent()) == ["new"]

    async def test_who_waits_for_an_answer_that_no_longer_counts_waits_for_the_next(self, tmp_path: Path) -> None:
        House(FileDatabase(tmp_path)).put("old", "1")
        database = FileDatabase(tmp_path)
        house = House(database)
        database.stuck = True
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(house.budgets.refresh())
            await asyncio.sleep(0)
            house.put("new", "2")
            second = tasks.create_task(house.budgets.listed())
            await asyncio.sleep(0)
            held, database._held = database._held, []
            held[0]()
            await asyncio.sleep(0.1)
            assert not first.done()
            database._held = held[1:]
            database.release()
        assert [budget.id for budget in second.result().budgets] == ["new", "old"]

    async def test_a_file_that_does_not_answer_is_waited_for_once_and_within_a_bound(self, tmp_path: Path) -> None:
        House(FileDatabase(tmp_path)).put()
        database = FileDatabase(tmp_path)
        house, loop = House(database), asyncio.get_running_loop()
        database.stuck = True
        assert not await house.budgets.refresh()
        assert loop.time() == pytest.approx(WAIT_MS / 1000)
        assert not await house.budgets.refresh()
        assert (await house.budgets.listed()).budgets == []
        assert loop.time() == pytest.approx(WAIT_MS / 1000)
        database.release()
        await asyncio.sleep(0.01)
        assert await house.budgets.refresh()
        assert await house.spent() == {"b": "0"}
        database.stuck = True
        before = loop.time()
        assert await house.spent() == {"b": "0"}
        assert loop.time() == pytest.approx(before + WAIT_MS / 1000)

    async def test_budgets_that_cannot_be_read_are_told_of_and_asked_for_again(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        database = FileDatabase(tmp_path)
        house = House(database)
        house.put()
        assert await house.spent() == {"b": "0"}
        await database.ask(lambda connection: connection.execute("ALTER TABLE budgets RENAME TO elsewhere"))
        assert await house.spent() == {"b": "0"}
        assert caplog.messages == ["the budgets cannot be read"]
        await database.ask(lambda connection: connection.execute("ALTER TABLE elsewhere RENAME TO budgets"))
        House(FileDatabase(tmp_path)).put("b", "2")
        assert [budget.amount for budget in await house.listed()] == ["2"]

    async def test_a_file_that_is_lost_takes_nothing_with_it(self, tmp_path: Path) -> None:
        database = FileDatabase(tmp_path)
        house = House(database)
        house.put("b", "1")
        house.spend("0.25")
        assert await house.spent() == {"b": "0.25"}
        fall_back(database)
        house.spend("0.25")
        house.put("new", "2", period="total")
        assert await house.spent() == {"b": "0.5", "new": "0.25"}
        house.spend("0.5")
        await house.budgets.refresh()
        with pytest.raises(SidecarError):
            house.budgets.reserve(1, ())

    async def test_a_file_that_is_back_has_everything(self, tmp_path: Path) -> None:
        database = FileDatabase(tmp_path)
        house = House(database)
        house.put("b", "1")
        house.put("gone", "1")
        house.spend("0.25")
        await house.listed()
        fall_back(database)
        house.spend("0.25")
        house.put("new", "2", period="total")
        house.put("gone", None)
        assert await house.spent() == {"b": "0.5", "new": "0.25"}
        other = House(FileDatabase(tmp_path))
        other.spend("0.125")
        database._retry_at = 0
        house.spend("0.25")
        assert await house.spent() == await other.spent() == {"b": "0.875", "new": "0.875"}


def fall_back(database: Database) -> None:
    """Have the file fail."""
    from sidecar.storage.faults import BROKEN

    database._fall_back(BROKEN, OSError())


def database_file(folder: Path) -> list[Path]:
    return list(folder.glob("*"))
