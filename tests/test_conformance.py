"""Every transcript of `protocol/conformance/` holds, and covers what it says it covers."""

import sys
from pathlib import Path

import pytest
from conformance import TRANSCRIPTS, load, run


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_transcript_holds(path: Path, tmp_path: Path) -> None:
    header, steps = load(path)
    if sys.platform == "win32" and any("signal" in step for step in steps):
        pytest.skip("signals are POSIX")
    witness = run(path, tmp_path)
    claimed = {cover for cover in header["covers"] if not cover.startswith("guarantee:")}
    assert claimed <= witness.seen
