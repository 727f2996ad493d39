"""SECURITY.md names the tests of what it promises; a promise whose test is gone is found here."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")


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
