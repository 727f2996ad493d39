"""Long tasks: their ids, and how often the host hears of them."""

from collections.abc import Callable

import anyio
import msgspec
import pytest
from msgspec import Struct
from virtual_time import VIRTUAL_TIME

from sidecar.schema.errors import SidecarError
from sidecar.schema.tasks import TaskProgress, TaskReport
from sidecar.tasks import INTERVAL_S, MAX_TASK_ID, Task, Tasks

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> object:
    return VIRTUAL_TIME


class Host:
    """An outlet that keeps what is sent, and has room when `turn` is called."""

    def __init__(self) -> None:
        self.sent: list[Struct] = []
        self.deferred: list[Callable[[], None]] = []

    def send(self, method: str, params: Struct) -> None:
        assert method == "task.progress"
        self.sent.append(params)

    def defer(self, flush: Callable[[], None]) -> None:
        self.deferred.append(flush)

    def turn(self) -> None:
        deferred, self.deferred = self.deferred, []
        for flush in deferred:
            flush()


def at(progress: float) -> TaskReport:
    return TaskReport(kind="load", progress=progress)


def told(progress: float) -> TaskProgress:
    return TaskProgress(task_id="t", kind="load", progress=progress)


def begun() -> tuple[Host, Task]:
    host = Host()
    return host, Tasks(host).open("t", 1)


async def test_the_first_report_is_sent_at_once() -> None:
    host, task = begun()
    task.report(at(0))
    host.turn()
    assert host.sent == [told(0)]


async def test_of_what_is_reported_too_soon_the_latest_is_sent_when_it_is_time() -> None:
    host, task = begun()
    task.report(at(0))
    host.turn()
    task.report(at(0.1))
    task.report(at(0.2))
    host.turn()
    assert host.sent == [told(0)]
    await anyio.sleep(INTERVAL_S * 1.01)
    host.turn()
    assert host.sent == [told(0), told(0.2)]


async def test_a_host_that_does_not_read_gets_the_latest_report_when_it_does() -> None:
    host, task = begun()
    for step in range(100):
        task.report(at(step / 100))
        await anyio.sleep(INTERVAL_S)
    assert host.sent == []
    assert len(host.deferred) == 1
    host.turn()
    assert host.sent == [told(0.99)]


async def test_a_task_that_says_nothing_new_sends_nothing() -> None:
    host, task = begun()
    task.report(at(0.5))
    host.turn()
    await anyio.sleep(INTERVAL_S * 4)
    host.turn()
    assert host.sent == [told(0.5)]


async def test_nothing_follows_the_end_of_a_task() -> None:
    host = Host()
    tasks = Tasks(host)
    task, other = tasks.open("t", 1), tasks.open("other", 2)
    task.report(at(0))
    host.turn()
    task.report(at(0.5))
    other.report(at(0.5))
    tasks.close(task)
    tasks.close(other)
    host.turn()
    await anyio.sleep(INTERVAL_S * 2)
    host.turn()
    assert host.sent == [told(0)]


async def test_the_id_is_the_callers_or_else_that_of_its_request() -> None:
    tasks = Tasks(Host())
    assert [tasks.open(*ids).id for ids in (("mine", 1), (None, 1), (None, "two"), ("three", None))] == [
        "mine",
        "1",
        "two",
        "three",
    ]


@pytest.mark.parametrize("ids", [("t", 2), (None, "t"), (None, None), (None, "x" * (MAX_TASK_ID + 1))])
async def test_a_task_needs_an_id_of_its_own(ids: tuple[str | None, str | None]) -> None:
    tasks = Tasks(Host())
    tasks.open("t", 1)
    with pytest.raises(SidecarError) as caught:
        tasks.open(*ids)
    assert (caught.value.type, caught.value.details) == ("invalid_params", {"param": "task_id"})


async def test_the_id_is_free_again_behind_the_reply() -> None:
    tasks = Tasks(Host())
    tasks.close(tasks.open("t", 1))
    assert tasks.open("t", 2).id == "t"


def test_a_report_leaves_out_what_is_not_known() -> None:
    progress = TaskProgress(task_id="t", kind="download", bytes=7)
    assert msgspec.to_builtins(progress) == {"task_id": "t", "kind": "download", "bytes": 7}
