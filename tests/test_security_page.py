"""SECURITY.md names the tests of what it promises; a promise whose test is gone is found here."""

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")
UNITS = {"": 1, " KiB": 1 << 10, " MiB": 1 << 20}
BOUNDS = re.findall(r"^\| [^|]+ \| ([\d,]+)( \w+)? \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_test_that_the_page_names_exists() -> None:
    files = re.findall(r"`((?:tests|requirements)/[^`]*)`", PAGE)
    assert len(files) > 10
    assert [name for name in files if not (ROOT / name).exists()] == []
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    written = {
        name for path in ROOT.glob("tests/**/test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert len(named) > 1
    assert named - written == set()


def test_every_promise_names_a_test() -> None:
    promises = re.search(r"## What it promises\n(.*?)\n## ", PAGE, re.DOTALL)
    assert promises is not None
    for promise in promises[1].strip().split("\n\n"):
        assert re.search(r"→\s+`test", promise), promise


@pytest.mark.parametrize(("number", "unit", "names"), BOUNDS)
def test_each_bound_is_the_one_in_the_code(number: str, unit: str, names: str) -> None:
    for module, name in re.findall(r"`([\w.]+)\.(\w+)`", names):
        assert getattr(import_module(f"sidecar.{module}"), name) == int(number.replace(",", "")) * UNITS[unit]


def test_the_bounds_are_found() -> None:
    assert len(BOUNDS) == PAGE.partition("## Bounds")[2].partition("\n## ")[0].count("\n|") - 2
