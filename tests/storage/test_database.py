"""The file, and memory in its place."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from broken_files import damaged, garbage, newer, truncated

from sidecar.schema.ledger import StorageState
from sidecar.storage import database, faults
from sidecar.storage.connections import connect
from sidecar.storage.database import Database
from sidecar.storage.faults import Fault
from sidecar.storage.tables import MIGRATIONS

pytestmark = pytest.mark.anyio

NAME = "data-llm-sidecar.sqlite3"
KEPT = StorageState("disk")


@asynccontextmanager
async def opened(directory: Path, **options: Any) -> AsyncGenerator[Database]:
    found = Database(directory, **options)
    with anyio.fail_after(30):
        yield found
        await found.close(10)


def adding(id_: str) -> Callable[[sqlite3.Connection], None]:
    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO budgets VALUES (?, 'x')", (id_,))

    return job


def listed(connection: sqlite3.Connection) -> list[str]:
    return [id_ for (id_,) in connection.execute("SELECT id FROM budgets ORDER BY id")]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def on_disk(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    found = listed(connection)
    connection.close()
    return found


def lacking(fault: Fault) -> StorageState:
    return StorageState("memory", f"{database.LACK} {fault.problem}", fault.hint)


async def test_nothing_is_opened_before_the_first_job(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as found:
        assert found.state == KEPT
    assert names(tmp_path) == []


async def test_an_answer_comes_after_all_that_was_posted(tmp_path: Path) -> None:
    async with opened(tmp_path) as found:
        for number in range(9):
            found.post(adding(str(number)))
        assert await found.ask(listed) == await found.read(listed) == list("012345678")


async def test_the_file_has_the_name_of_the_app_and_stands_alone_at_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as found:
        found.app = "My App"
        found.post(adding("a"))
    assert names(tmp_path) == ["data-%4dy%20%41pp.sqlite3"]
    assert on_disk(tmp_path / "data-%4dy%20%41pp.sqlite3") == ["a"]


async def test_there_is_work_after_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as found:
        found.post(adding("a"))
        await found.close(10)
        found.post(adding("b"))
        assert await found.ask(listed) == ["a", "b"]


async def test_memory_alone_makes_no_file(tmp_path: Path) -> None:
    async with opened(tmp_path, memory_only=True) as found:
        found.post(adding("a"))
        assert await found.ask(listed) == ["a"]
        assert found.state == StorageState("memory")
    assert names(tmp_path) == []


async def test_a_defect_reaches_whoever_asked_and_changes_nothing(tmp_path: Path) -> None:
    def defective(connection: sqlite3.Connection) -> None:
        adding("a")(connection)
        raise ZeroDivisionError

    async with opened(tmp_path) as found:
        with pytest.raises(ZeroDivisionError):
            await found.ask(defective)
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await found.ask(lambda connection: connection.execute("SELECT * FROM nowhere"))
        assert (await found.ask(listed), found.state) == ([], KEPT)


async def test_a_defect_that_nobody_waits_for_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(tmp_path) as found:
        found.post(lambda _: 1 // 0)
        assert await found.ask(listed) == []
    assert [record.getMessage() for record in caplog.records] == ["something was not recorded"]
    assert isinstance((caplog.records[0].exc_info or (None, None))[1], ZeroDivisionError)


async def test_what_is_posted_is_done_soon_though_nobody_asks(tmp_path: Path) -> None:
    done = anyio.Event()
    loop = asyncio.get_running_loop()
    async with opened(tmp_path) as found:
        found.post(lambda _: loop.call_soon_threadsafe(done.set))
        await done.wait()


async def test_jobs_posted_together_share_a_transaction(tmp_path: Path) -> None:
    statements: list[str] = []
    async with opened(tmp_path) as found:
        await found.ask(lambda connection: connection.set_trace_callback(statements.append))
        for id_ in ("a", "b", "c"):
            found.post(adding(id_))
        assert await found.ask(listed) == ["a", "b", "c"]
        await found.ask(lambda connection: connection.set_trace_callback(None))
    said = " ".join(one.split()[0] for one in statements)
    assert said == f"COMMIT BEGIN{' SAVEPOINT INSERT RELEASE' * 3} COMMIT BEGIN SELECT COMMIT BEGIN"


async def test_a_defect_takes_nothing_else_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(tmp_path) as found:
        found.post(adding("a"))
        found.post(lambda _: 1 // 0)
        found.post(adding("b"))
    assert on_disk(tmp_path / NAME) == ["a", "b"]
    assert [record.getMessage() for record in caplog.records] == ["something was not recorded"]


async def test_what_is_asked_is_done_when_whoever_asked_has_gone(tmp_path: Path) -> None:
    go = threading.Event()
    async with opened(tmp_path) as found:
        found.post(lambda _: go.wait(30))
        with anyio.move_on_after(0):
            await found.ask(adding("a"))
        go.set()
        assert await found.ask(listed) == ["a"]


async def test_what_the_disk_does_not_take_in_time_is_dropped_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "MAX_WAITING", 2)
    go = threading.Event()
    async with opened(tmp_path) as found:
        found.post(lambda _: go.wait(30))
        found.post(adding("a"))
        found.post(adding("b"))
        go.set()
        assert await found.ask(listed) == ["a"]
        found.post(adding("c"))
        assert await found.ask(listed) == ["a", "c"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_the_end_waits_for_a_bounded_time(tmp_path: Path) -> None:
    go = threading.Event()
    found = Database(tmp_path)
    found.post(lambda _: go.wait(30))
    with anyio.fail_after(10):
        await found.close(0.01)
    go.set()
    await found.close(10)


async def test_two_sidecars_share_a_file(tmp_path: Path) -> None:
    async with opened(tmp_path) as one, opened(tmp_path) as other:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(one.ask, adding(f"one-{number:02}"))
                tasks.start_soon(other.ask, adding(f"other-{number:02}"))
        expected = sorted(f"{name}-{number:02}" for name in ("one", "other") for number in range(20))
        assert await one.ask(listed) == await other.ask(listed) == expected
        assert (one.state, other.state) == (KEPT, KEPT)


async def test_a_long_reading_keeps_no_other_sidecar_from_writing(tmp_path: Path) -> None:
    go, begun = threading.Event(), anyio.Event()
    loop = anyio.from_thread

    def reading(connection: sqlite3.Connection) -> list[str]:
        first = listed(connection)
        portal.start_task_soon(begun.set)
        assert go.wait(30)
        return [*first, *listed(connection)]

    async with (
        opened(tmp_path) as one,
        opened(tmp_path, busy_ms=1) as other,
        loop.BlockingPortal() as portal,
        anyio.create_task_group() as tasks,
    ):
        await one.ask(adding("a"))
        seen: list[list[str]] = []

        async def read() -> None:
            seen.append(await one.read(reading))

        tasks.start_soon(read)
        await begun.wait()
        assert await other.ask(listed) == ["a"]
        await other.ask(adding("b"))
        go.set()
        while not seen:
            await anyio.lowlevel.checkpoint()
        assert (seen, other.state) == ([["a", "a"]], KEPT)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (garbage, faults.DAMAGED),
        (truncated, faults.DAMAGED),
        (damaged, faults.DAMAGED),
        (newer, faults.NEWER),
        (a_folder, faults.CLOSED),
    ],
)
async def test_a_file_that_cannot_be_used_is_left_as_it_is(
    tmp_path: Path, harm: Callable[[Path], None], fault: Fault
) -> None:
    async with opened(tmp_path) as found:
        await found.ask(adding("before"))
    path = tmp_path / NAME
    harm(path)
    content = path.read_bytes() if path.is_file() else None
    async with opened(tmp_path) as found:
        found.post(adding("a"))
        assert (await found.ask(listed), found.state) == (["a"], lacking(fault))
    assert (path.read_bytes() if path.is_file() else None) == content


async def test_a_folder_that_cannot_be_made_is_a_reason_for_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with opened(tmp_path / "file" / "data") as found:
        found.post(adding("a"))
        assert (await found.ask(listed), found.state) == (["a"], lacking(faults.CLOSED))


async def test_what_is_told_names_no_folder_and_no_class(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    async with opened(tmp_path) as found:
        await found.ask(listed)
        told = f"{found.state.problem} {found.state.hint}"
    assert str(tmp_path) not in told
    assert "Error" not in told


Fill = Callable[[Database], Awaitable[None]]


async def fill(found: Database) -> None:
    """Leave no page for another row."""

    def bounded(connection: sqlite3.Connection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await found.ask(bounded)


def large(id_: str) -> Callable[[sqlite3.Connection], None]:
    return lambda connection: connection.execute("INSERT INTO budgets VALUES (?, zeroblob(99999))", (id_,)) and None


async def test_a_full_disk_is_a_reason_for_memory_and_the_job_is_done_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as found:
        await found.ask(adding("before"))
        await fill(found)
        found.post(large("a"))
        assert (await found.ask(listed), found.state) == (["a"], lacking(faults.FULL))
        assert on_disk(tmp_path / NAME) == ["before"]


async def test_memory_goes_to_the_file_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "RETRY_S", 0.0)
    async with opened(tmp_path) as found:
        await found.ask(adding("before"))
        await fill(found)
        found.post(large("a"))
        found.post(adding("b"))
        assert (await found.ask(listed), found.state) == (["a", "b", "before"], KEPT)
    assert on_disk(tmp_path / NAME) == ["a", "b", "before"]
    assert caplog.records[-1].getMessage() == "everything is on disk again"


async def test_memory_goes_to_the_file_at_the_end_at_the_latest(tmp_path: Path) -> None:
    async with opened(tmp_path) as found:
        await found.ask(adding("before"))
        await fill(found)
        found.post(large("a"))
        assert await found.ask(listed) == ["a"]
    assert on_disk(tmp_path / NAME) == ["a", "before"]


async def test_a_file_that_another_holds_is_waited_for_and_then_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "RETURN_S", 0.01)
    async with opened(tmp_path, busy_ms=20) as found:
        await found.ask(adding("before"))
        holder = sqlite3.connect(tmp_path / NAME, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        found.post(adding("a"))
        assert (await found.ask(listed), found.state) == (["a"], lacking(faults.HELD))
        monkeypatch.setattr(database, "RETRY_S", 0.0)
        found._retry_at = 0.0
        found.post(adding("b"))
        assert (await found.ask(listed), found.state) == (["a", "b"], lacking(faults.HELD))
        holder.execute("COMMIT")
        holder.close()
        assert (await found.ask(listed), found.state) == (["a", "b", "before"], KEPT)
        assert await found.ask(lambda connection: connection.execute("PRAGMA busy_timeout").fetchone()) == (20,)


async def test_a_failed_file_is_left_alone_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as found:
        await found.ask(adding("before"))
        await fill(found)
        await found.ask(large("a"))
        opening: list[Path | None] = []
        monkeypatch.setattr(database, "connect", lambda path, _: opening.append(path))
        assert (await found.ask(listed), opening) == (["a"], [])
        monkeypatch.undo()


async def test_a_file_that_turns_out_to_be_damaged_is_not_tried_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as found:
        await found.ask(adding("before"))
        await fill(found)
        found.post(large("a"))
        await found.ask(lambda _: garbage(tmp_path / NAME))
        found._retry_at = 0.0
        assert (await found.ask(listed), found.state) == (["a"], lacking(faults.DAMAGED))
        assert found._retry_at is None


async def test_what_cannot_be_carried_over_stays_in_memory_whole(tmp_path: Path) -> None:
    async with opened(tmp_path) as found:
        await found.ask(adding("before"))
        await fill(found)
        found.post(large("a"))
        found.post(adding("b"))
        await found.ask(listed)
        connection = sqlite3.connect(tmp_path / NAME)
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON budgets WHEN new.id = 'b' BEGIN SELECT raise(ABORT, 'no'); END"
        )
        connection.close()
        found._retry_at = 0.0
        assert (await found.ask(listed), found.state) == (["a", "b"], lacking(faults.DAMAGED))
        assert on_disk(tmp_path / NAME) == ["before"]


async def test_a_wait_longer_than_sqlite_can_count_is_cut(tmp_path: Path) -> None:
    async with opened(tmp_path, busy_ms=2**53) as found:
        (wait,) = await found.ask(lambda connection: connection.execute("PRAGMA busy_timeout").fetchone())
    assert wait == database.MAX_BUSY_MS


async def test_the_file_is_of_the_present_version(tmp_path: Path) -> None:
    async with opened(tmp_path) as found:
        assert await found.ask(lambda connection: connection.execute("PRAGMA user_version").fetchone()) == (
            len(MIGRATIONS),
        )
        assert await found.ask(lambda connection: connection.execute("PRAGMA foreign_keys").fetchone()) == (1,)


async def test_reading_can_be_left_where_nothing_has_been_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as found, opened(tmp_path) as other, opened(tmp_path, memory_only=True) as memory:
        assert (await found.reading(listed), await memory.reading(listed)) == (None, None)
        assert not (tmp_path / NAME).exists()
        for database_ in (found, memory):
            await database_.ask(listed)
        assert (await found.reading(listed), await memory.reading(listed)) == ([], [])
        assert await other.reading(listed) == []


async def test_a_file_that_cannot_even_be_looked_for_gives_way_to_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", path)

    async with opened(tmp_path) as found:
        monkeypatch.setattr(Path, "exists", refuse)
        monkeypatch.setattr(database, "connect", lambda path, _: refuse(path) if path else connect(None, 1))
        assert (await found.reading(listed), found.state) == ([], lacking(faults.CLOSED))
