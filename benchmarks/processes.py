"""Memory and processor time of processes, read from Linux."""

import time
from pathlib import Path

SIZES = {"Rss:": "rss_kb", "Pss:": "pss_kb", "Private_Clean:": "uss_kb", "Private_Dirty:": "uss_kb"}


def memory(pids: list[int]) -> dict[str, int]:
    """Resident, proportional and unique set size of some processes together, in KB."""
    total = {"rss_kb": 0, "pss_kb": 0, "uss_kb": 0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if size := SIZES.get(line.split()[0]):
                total[size] += int(line.split()[1])
    return total


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [pid, *(descendant for child in children for descendant in tree(child))]


def cpu(pids: list[int]) -> float:
    """Processor time that some other processes have used, in seconds, to the nanosecond."""
    return sum(time.clock_gettime(clock_of(pid)) for pid in pids)


def clock_of(pid: int) -> int:
    """The id of a process's CPU clock, as clock_getcpuclockid(3) computes it."""
    return (~pid << 3) | 2
