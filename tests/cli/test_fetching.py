"""How a download is shown, by a clock that tests move."""

import io
import os
import signal
import sys
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from sidecar.cli.client import CallFailed
from sidecar.cli.fetching import SILENCE_S, TASK, Fetching, Progress, remainder
from sidecar.cli.screen import Screen
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.tasks import TaskProgress

MIB = 1 << 20


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def told(mib: float, total: float | None = 100, speed: float | None = 2, eta_ms: int | None = 4000) -> TaskProgress:
    return TaskProgress(
        task_id=TASK,
        kind="download",
        progress=None if total is None else mib / total,
        bytes=int(mib * MIB),
        total_bytes=None if total is None else int(total * MIB),
        bytes_per_second=None if speed is None else int(speed * MIB),
        eta_ms=eta_ms,
    )


def on_a_terminal(*all_told: TaskProgress) -> list[str]:
    shown = Tty()
    progress = Progress(Screen(io.StringIO(), shown, "brief"))
    for one in all_told:
        progress.show(one)
    return shown.getvalue().split("\r\x1b[2K")[1:]


def test_a_terminal_has_a_bar_in_which_nothing_moves_but_its_end() -> None:
    lines = on_a_terminal(told(0, speed=None, eta_ms=None), told(43.5), told(100, speed=11.25, eta_ms=0))
    assert lines == [
        "fetching  ────────────────    0 %    0.0 of 100.0 MiB                          ",
        "fetching  ━━━━━━──────────   43 %   43.5 of 100.0 MiB    2.0 MiB/s  0:04 left  ",
        "fetching  ━━━━━━━━━━━━━━━━  100 %  100.0 of 100.0 MiB   11.2 MiB/s  0:00 left  ",
    ]


def test_the_longest_line_fits_a_terminal_of_80_columns() -> None:
    (line,) = on_a_terminal(told(1023.9 * 1024, total=1023.9 * 1024, speed=1023.9, eta_ms=359_999_000))
    assert len(line) < 80
    assert "━" * 8 in line


def test_without_an_end_there_is_no_bar() -> None:
    lines = on_a_terminal(TaskProgress(task_id=TASK, kind="download", bytes=0), told(3, total=None, eta_ms=None))
    assert [line.split() for line in lines] == [["fetching"], ["fetching", "3.0", "MiB", "2.0", "MiB/s"]]


@pytest.mark.parametrize(
    ("kind", "latest", "lines"),
    [
        ("stream_interrupted", told(43.5), ["43.5 of 100.0 MiB are here. The same command goes on from there."]),
        ("request_cancelled", told(3, total=None), ["3.0 MiB are here. The same command goes on from there."]),
        ("disk_full", told(43.5), ["43.5 of 100.0 MiB are here. The same command goes on from there."]),
        ("stream_interrupted", told(0), []),
        ("checksum_mismatch", told(100), []),
    ],
)
def test_what_is_left_is_told_where_it_can_go_on(kind: ErrorType, latest: TaskProgress, lines: list[str]) -> None:
    assert remainder(SidecarError(kind).to_object(), latest) == lines


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signal to one process alone")
async def test_the_second_ctrl_c_does_not_wait_for_the_sidecar() -> None:
    asked: list[str] = []
    begun, cancelling = anyio.Event(), anyio.Event()

    async def task(*_: object) -> None:
        begun.set()
        await anyio.sleep_forever()

    async def cancel_task(id_: str) -> None:
        asked.append(id_)
        cancelling.set()

    async def interrupt() -> None:
        await begun.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await cancelling.wait()
        os.kill(os.getpid(), signal.SIGINT)

    deaf: Any = SimpleNamespace(task=task, cancel_task=cancel_task)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(interrupt)
            with pytest.raises(CallFailed, match="cancelled"):
                await Fetching(deaf, Screen(io.StringIO(), io.StringIO(), "brief"), tasks).run({})
    assert asked == [TASK]


def test_a_file_gets_a_line_for_every_tenth_or_when_it_was_silent_for_long() -> None:
    notes, now = io.StringIO(), [0.0]
    progress = Progress(Screen(io.StringIO(), notes, "brief"), lambda: now[0])
    for at, mib in ((0, 3), (1, 9), (2, 10), (3, 19), (2 + SILENCE_S, 19.5), (3 + SILENCE_S, 100)):
        now[0] = at
        progress.show(told(mib))
    assert notes.getvalue().splitlines() == [
        "3 %, 3.0 of 100.0 MiB, 2.0 MiB/s, 0:04 left",
        "10 %, 10.0 of 100.0 MiB, 2.0 MiB/s, 0:04 left",
        "19 %, 19.5 of 100.0 MiB, 2.0 MiB/s, 0:04 left",
        "100 %, 100.0 of 100.0 MiB, 2.0 MiB/s, 0:04 left",
    ]
    assert progress.latest == told(100)
