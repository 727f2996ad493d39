import pytest

from sidecar.cli import measures


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (98_362_432, "93.8 MiB"), (1 << 50, "1,024.0 TiB")],
)
def test_sizes_are_in_the_largest_unit(count: int, text: str) -> None:
    assert measures.size(count) == text


def test_a_part_is_told_in_the_unit_of_the_whole() -> None:
    assert measures.progress(98_362_432, 3 << 30) == "0.1 of 3.0 GiB"


@pytest.mark.parametrize(("part", "text"), [(0, "0 %"), (0.43, "43 %"), (0.9999, "99 %"), (1, "100 %")])
def test_all_is_told_only_of_all(part: float, text: str) -> None:
    assert measures.share(part) == text


@pytest.mark.parametrize(("ms", "text"), [(400, "0:00"), (4000, "0:04"), (751_000, "12:31"), (3_751_000, "1:02:31")])
def test_times_are_those_of_a_clock(ms: int, text: str) -> None:
    assert measures.clock(ms) == text


@pytest.mark.parametrize(
    ("count", "text"), [(32, "32"), (134_515_008, "135M"), (7_241_732_096, "7.2B"), (70_553_706_496, "71B")]
)
def test_large_numbers_are_short(count: int, text: str) -> None:
    assert measures.short(count) == text
