"""The player of scenarios tells what a probe did not do as the scenario says."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import replay

EVERYTHING = [{"started": True}, {"result": {"ok": True, "more": 1}}, {"closed": True}]
SCENARIO = {
    "name": "scenario",
    "sidecar": [],
    "host": [{"do": "start"}, {"do": "call", "method": "a", "params": {"$repeat": ["ab", 2]}}, {"do": "close"}],
    "expect": [{"started": True}, {"result": {"ok": True}}, {"closed": True}],
}


def played(folder: Path, *lines: Any, code: str = "", **scenario: Any) -> list[str]:
    """Return what differs where a probe runs the code, and then writes the lines."""
    path = folder / "given" / "scenario.json"
    path.parent.mkdir()
    path.write_text(json.dumps(SCENARIO | scenario), "utf-8")
    output = "".join(json.dumps(line) + "\n" for line in lines)
    script = f"import json, subprocess, sys, time\n{code}\nsys.stdout.write({output!r})"
    return replay.divergences([sys.executable, "-c", script], path, folder)


def test_a_probe_that_sees_what_it_must_differs_in_nothing(tmp_path: Path) -> None:
    assert played(tmp_path, *EVERYTHING) == []


def test_a_probe_is_given_a_scenario_that_is_written_out(tmp_path: Path) -> None:
    code = "assert json.load(open(sys.argv[1]))['host'][1]['params'] == 'abab'"
    assert played(tmp_path, *EVERYTHING, code=code) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            [{"started": True}, {"result": {"ok": False}}, {"closed": True}],
            "step 1.result.ok: expected true, got false",
        ),
        ([{"started": True}], "step 1: nothing was seen"),
        ([*EVERYTHING, {"timeout": True}], "more was seen than there are steps"),
    ],
)
def test_another_line_is_a_difference(tmp_path: Path, lines: list[Any], said: str) -> None:
    (difference,) = played(tmp_path, *lines)
    assert said in difference


def test_a_line_that_is_not_json_is_a_difference(tmp_path: Path) -> None:
    first, *_ = played(tmp_path, *EVERYTHING, code="print('hello')")
    assert first == "step 0: the probe wrote no JSON: hello"


def test_a_probe_that_fails_says_why(tmp_path: Path) -> None:
    _, remark = played(tmp_path, *EVERYTHING, code="sys.exit('no such option')")
    assert "the probe ended with 1: no such option" in remark


def test_a_probe_that_hangs_is_ended_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "PROBE_SECONDS", 1.0)
    code = "subprocess.Popen(sys.argv[2:], start_new_session=True); time.sleep(50)"
    nothing, left, late, _ = played(tmp_path, code=code, sidecar=[{"hang": True}])
    assert "step 0: nothing was seen" in nothing
    assert left == "processes that were left: 1"
    assert "the probe took more than 1 s" in late


def test_processes_that_are_left_are_told(tmp_path: Path) -> None:
    code = "subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE).stdout.readline()"
    steps = [{"spawn": True}, {"send": "ready"}, {"hang": True}]
    assert played(tmp_path, *EVERYTHING, code=code, sidecar=steps) == ["processes that were left: 2"]


def test_a_sidecar_that_is_started_too_often_is_a_difference(tmp_path: Path) -> None:
    code = "[subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL) for _ in range(3)]"
    found = played(tmp_path, *EVERYTHING, code=code, starts=2)
    assert found == ["the sidecar was started 3 times, not 2"]


def test_a_scenario_may_have_another_command(tmp_path: Path) -> None:
    assert played(tmp_path, *EVERYTHING, code="assert sys.argv[2:] == ['./nothing']", command=["./nothing"]) == []
