"""The host's death, noticed through a held handle: a process id alone could by then be somebody else's."""

import asyncio
import logging
import os
import select
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

log: Final = logging.getLogger("sidecar.lifeline")


def watch(pid: int, gone: Callable[[], None]) -> None:
    """Call `gone` on the running loop when process `pid` dies, or at once if there is none."""
    loop = asyncio.get_running_loop()
    try:
        if hasattr(os, "pidfd_open"):
            _watch_pidfd(loop, os.pidfd_open(pid), gone)
        else:
            _watch_in_thread(loop, _waiter(pid), gone)
    except ProcessLookupError:
        loop.call_soon(gone)
    except OSError as error:
        log.warning("the host's process cannot be watched (%s); its end of stdin still is", error.strerror)


def _watch_pidfd(loop: asyncio.AbstractEventLoop, handle: int, gone: Callable[[], None]) -> None:
    def died() -> None:
        loop.remove_reader(handle)
        os.close(handle)
        gone()

    loop.add_reader(handle, died)


def _watch_in_thread(loop: asyncio.AbstractEventLoop, wait: Callable[[], None], gone: Callable[[], None]) -> None:
    def run() -> None:
        wait()
        loop.call_soon_threadsafe(gone)

    threading.Thread(target=run, name="lifeline", daemon=True).start()


def _waiter(pid: int) -> Callable[[], None]:
    """Return a function that blocks until the process dies; the process is held from now on."""
    if sys.platform == "win32":
        return _windows_waiter(pid)
    if hasattr(select, "kqueue"):
        return _kqueue_waiter(pid)
    raise OSError(0, "no way to wait for a process on this system")


def _kqueue_waiter(pid: int) -> Callable[[], None]:
    kernel: Any = select
    queue = kernel.kqueue()
    event = kernel.kevent(pid, filter=kernel.KQ_FILTER_PROC, flags=kernel.KQ_EV_ADD, fflags=kernel.KQ_NOTE_EXIT)
    queue.control([event], 0, 0)

    def wait() -> None:
        queue.control(None, 1, None)

    return wait


def _windows_waiter(pid: int) -> Callable[[], None]:
    import ctypes

    synchronize, forever = 0x00100000, 0xFFFFFFFF
    system: Any = ctypes
    kernel = system.windll.kernel32
    handle = kernel.OpenProcess(synchronize, False, pid)
    if not handle:
        raise ProcessLookupError(pid)

    def wait() -> None:
        kernel.WaitForSingleObject(handle, forever)

    return wait
