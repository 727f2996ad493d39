import ctypes
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sidecar.catalog import machine


@pytest.fixture(autouse=True)
def unknown_memory() -> None:
    machine.total_memory.cache_clear()


@pytest.mark.parametrize(("size", "expected"), [(0, True), (6_000, True), (6_001, False)])
def test_a_model_leaves_a_quarter_of_the_memory(monkeypatch: pytest.MonkeyPatch, size: int, expected: object) -> None:
    monkeypatch.setattr(machine, "total_memory", lambda: 8_000)
    assert machine.has_room(size) is expected
    assert machine.has_room(size, limit=6_000) is expected
    assert machine.has_room(size, limit=7_000) is True


def test_the_memory_is_counted_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4_096, "SC_PHYS_PAGES": 1_000}.__getitem__)
    assert machine.total_memory() == 4_096_000


@pytest.mark.parametrize(
    ("limit", "expected"), [("1000000\n", 1_000_000), ("max\n", 4_096_000), ("9223372036854771712\n", 4_096_000)]
)
def test_a_container_may_have_less_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, expected: int
) -> None:
    (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4_096, "SC_PHYS_PAGES": 1_000}.__getitem__)
    monkeypatch.setattr(machine, "CONTAINER_LIMITS", (str(tmp_path / "memory.max"), str(tmp_path / "none")))
    assert machine.total_memory() == expected


def test_where_nobody_tells_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", refuse)
    assert machine.has_room(1) is None


def test_this_machine_has_memory() -> None:
    found = machine.total_memory()
    assert found is not None
    assert found > 1 << 28


@pytest.mark.parametrize(("told", "expected"), [(1, 16 << 30), (0, None)])
def test_windows_counts_in_kilobytes(monkeypatch: pytest.MonkeyPatch, told: int, expected: object) -> None:
    def tell(pointer: Any) -> int:
        pointer._obj.value = 16 << 20
        return told

    kernel = SimpleNamespace(GetPhysicallyInstalledSystemMemory=tell)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    assert machine._windows_memory() == expected
