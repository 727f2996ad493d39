"""What differs between the systems: how a process is started with its descendants in one group, and how they end."""

import contextlib
import os
import signal
import sys
from typing import Any, Final

if sys.platform == "win32":
    import ctypes
    import subprocess
    from ctypes import wintypes

    SPAWN: Final[dict[str, Any]] = {
        "creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP,
    }
    KILLED: Final = 1
    """The exit code of what is killed."""
    JOB_EXTENDED_LIMITS: Final = 9
    KILL_ON_JOB_CLOSE: Final = 0x2000
    PROCESS_SET_QUOTA_AND_TERMINATE: Final = 0x0101

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("per_process_user_time", wintypes.LARGE_INTEGER),
            ("per_job_user_time", wintypes.LARGE_INTEGER),
            ("limit_flags", wintypes.DWORD),
            ("minimum_working_set", ctypes.c_size_t),
            ("maximum_working_set", ctypes.c_size_t),
            ("active_processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("priority_class", wintypes.DWORD),
            ("scheduling_class", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("basic", _BasicLimits),
            ("io_counters", ctypes.c_ulonglong * 6),
            ("process_memory", ctypes.c_size_t),
            ("job_memory", ctypes.c_size_t),
            ("peak_process_memory", ctypes.c_size_t),
            ("peak_job_memory", ctypes.c_size_t),
        )

    _kernel: Final = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.CreateJobObjectW.argtypes = (wintypes.LPVOID, wintypes.LPCWSTR)
    _kernel.CreateJobObjectW.restype = wintypes.HANDLE
    _kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, wintypes.LPVOID, wintypes.DWORD)
    _kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    _kernel.OpenProcess.restype = wintypes.HANDLE
    _kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
    _kernel.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
    _kernel.CloseHandle.argtypes = (wintypes.HANDLE,)

    class Group:
        """A process and its descendants, in a job object: they end when it is closed, and so when the host ends."""

        def __init__(self, pid: int) -> None:
            self._job: int | None = _kernel.CreateJobObjectW(None, None)
            limits = _ExtendedLimits()
            limits.basic.limit_flags = KILL_ON_JOB_CLOSE
            size = ctypes.sizeof(limits)
            _kernel.SetInformationJobObject(self._job, JOB_EXTENDED_LIMITS, ctypes.byref(limits), size)
            if process := _kernel.OpenProcess(PROCESS_SET_QUOTA_AND_TERMINATE, 0, pid):
                _kernel.AssignProcessToJobObject(self._job, process)
                _kernel.CloseHandle(process)

        def terminate(self) -> None:
            """End them: there is no gentler way for a process without a console."""
            if self._job:
                _kernel.TerminateJobObject(self._job, KILLED)

        def kill(self) -> None:
            """End them."""
            self.terminate()

        def close(self) -> None:
            """Let go of the job."""
            job, self._job = self._job, None
            if job:
                _kernel.CloseHandle(job)

else:
    SPAWN: Final[dict[str, Any]] = {"start_new_session": True}

    class Group:
        """A process that leads a group, and its descendants."""

        def __init__(self, pid: int) -> None:
            self._pid = pid

        def terminate(self) -> None:
            """Ask them to end."""
            self._signal(signal.SIGTERM)

        def kill(self) -> None:
            """End them."""
            self._signal(signal.SIGKILL)

        def close(self) -> None:
            """Do nothing: a group needs no handle."""

        def _signal(self, number: signal.Signals) -> None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, number)
