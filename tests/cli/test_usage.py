"""The table for people, and the command as a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from host import script, session

from sidecar.cli import usage, words
from sidecar.cli.tables import aligned
from sidecar.cli.usage import lines, parse
from sidecar.schema.ledger import MAX_GROUPS, Savings, StorageState, UsageGroup, UsageSummary
from sidecar.schema.usage import Cost

USAGE = [sys.executable, "-m", "sidecar", "usage"]
PATIENCE_S = 30.0
ROOT = Path(__file__).parents[2]
PAID = [{"do": "text", "text": "x"}, {"do": "usage", "usage": {"input_tokens": 1200, "output_tokens": 5}}]


def group(**fields: Any) -> UsageGroup:
    counts: dict[str, Any] = dict.fromkeys(
        ("failed", "cancelled", "cached", "estimated", "unpriced", "reasoning_tokens"), 0
    ) | {"attempts": 1, "input_tokens": 12, "output_tokens": 3, "cache_read_tokens": 0, "cache_write_tokens": 0}
    money = {"cost": Cost(amount="0.5", source="table"), "savings": Savings(prompt_cache="0", response_cache="0")}
    return UsageGroup(**counts | money | fields)


def summary(*groups: UsageGroup, total: UsageGroup, truncated: bool = False) -> UsageSummary:
    return UsageSummary(groups=list(groups), total=total, truncated=truncated, storage=StorageState("disk"))


def test_numbers_end_in_one_place_and_the_total_is_last() -> None:
    savings = Savings(prompt_cache="-0.001", response_cache="0.0113")
    one = group(tag="work", model="a-name", attempts=1234, input_tokens=1_000_000, savings=savings)
    other = group(model="b", failed=1, cached=2, cost=Cost(amount=None), unpriced=3)
    total = group(attempts=1235, cost=Cost(amount="1.23456", source="table", estimated=True), unpriced=3)
    assert lines(summary(one, other, total=total), ["tag", "model"]) == [
        "tag       model   attempts  failed  from cache  tokens in  tokens out                       cost    saved",
        "work      a-name     1,234       0           0  1,000,000           3                    $0.5000  $0.0103",
        "(no tag)  b              1       1           2         12           3                    unknown       $0",
        "total                1,235       0           0         12           3  about $1.2346 + 3 unknown       $0",
    ]


def test_an_empty_ledger_says_so() -> None:
    assert lines(summary(total=group(attempts=0)), ["day"]) == ["Nothing was used."]


def test_what_is_left_out_is_told() -> None:
    assert lines(summary(group(day="2026-11-22"), total=group(), truncated=True), ["day"])[-1] == (
        "There are more groups than are shown; the total is of all."
    )


def test_wide_characters_take_two_columns() -> None:
    assert aligned([["日本", "1"], ["e\u0301", "22"]], left=1) == ["日本   1", "e\u0301     22"]


@pytest.mark.parametrize(
    ("amounts", "text"),
    [
        (("0", "0"), "$0"),
        (("1234.56789",), "$1,234.5679"),
        (("0.00004",), "<$0.0001"),
        (("-0.00004",), "-<$0.0001"),
        (("0.5", "-0.75"), "-$0.2500"),
    ],
)
def test_money_is_readable(amounts: tuple[str, ...], text: str) -> None:
    assert words.money(*amounts) == text


def test_flags_become_a_query_and_the_flags_of_a_sidecar() -> None:
    options = parse(["--since", "2026-11-01", "--by", "tag,month", "--tag=-x"])
    assert options.query == {"since": "2026-11-01", "group_by": ["tag", "month"], "tag": "-x", "limit": MAX_GROUPS}
    assert (options.flags, options.json) == ([], False)
    options = parse(["--until=2026-11-30", "--provider=p", "--data-dir=/d e", "--app-id=-a", "--json"])
    assert options.query == {
        "until": "2026-11-30",
        "provider": "p",
        "group_by": ["provider", "model"],
        "limit": MAX_GROUPS,
    }
    assert (options.flags, options.json) == (["--data-dir=/d e", "--app-id=-a"], True)


def environment(home: Path) -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return kept | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def run(home: Path, *flags: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*USAGE, *flags], env=environment(home), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stdout, done.stderr


def of_the_tests(home: Path) -> tuple[str, ...]:
    """Return the flags that name the ledger of `session`."""
    return "--data-dir", str(home / "data"), "--app-id", "tests"


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """Return a home whose ledger knows two answers."""
    with session(tmp_path, "--scripted") as host:
        for tag in ("a", "b"):
            host.call("chat.complete", script(*PAID, {"do": "cost", "amount": "0.1"}, {"do": "finish"}, tags=[tag]))
    return tmp_path


def test_the_table_of_an_app(used: Path) -> None:
    table = (
        "tag    attempts  failed  from cache  tokens in  tokens out     cost  saved\n"
        "a             1       0           0      1,200           5  $0.1000     $0\n"
        "b             1       0           0      1,200           5  $0.1000     $0\n"
        "total         2       0           0      2,400          10  $0.2000     $0\n"
    )
    assert run(used, "--by", "tag", *of_the_tests(used)) == (0, table, "")


def test_json_is_the_result_of_the_method(used: Path) -> None:
    code, out, err = run(used, "--json", "--tag", "a", *of_the_tests(used))
    result = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert [row["provider"] for row in result["groups"]] == ["scripted"]
    assert result["total"]["cost"] == {"amount": "0.1", "currency": "USD", "source": "provider", "estimated": False}


def test_without_an_app_it_is_the_ledger_of_the_command_line(tmp_path: Path) -> None:
    chat = [sys.executable, "-m", "sidecar", "chat", "--provider", "scripted", "hello"]
    subprocess.run(chat, env=environment(tmp_path), capture_output=True, timeout=PATIENCE_S, check=True)
    code, out, err = run(tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines()[1].split()[:3] == ["scripted", "script-1", "1"]


def test_an_empty_ledger_is_no_failure(tmp_path: Path) -> None:
    assert run(tmp_path, "--data-dir", str(tmp_path)) == (0, "Nothing was used.\n", "")


def test_a_file_that_cannot_be_read_is_told_on_stderr(tmp_path: Path) -> None:
    (tmp_path / "data-llm-sidecar.sqlite3").write_bytes(b"What is this? " * 99)
    code, out, err = run(tmp_path, "--data-dir", str(tmp_path))
    assert (code, out) == (0, "Nothing was used.\n")
    assert [line.split(":")[0] for line in err.splitlines()] == ["warning", "hint"]
    assert "The file is damaged." in err


@pytest.mark.parametrize("flags", [("--by", "colour"), ("--by", ""), ("--day", "x")])
def test_wrong_usage_exits_with_2(tmp_path: Path, flags: tuple[str, ...]) -> None:
    code, out, err = run(tmp_path, *flags)
    assert (code, out) == (2, "")
    assert "usage: llm-sidecar usage" in err


def test_a_day_that_does_not_exist_is_told(tmp_path: Path) -> None:
    assert run(tmp_path, "--since", "2026-02-31") == (1, "", "error: There is no day 2026-02-31.\n")
    code, out, err = run(tmp_path, "--since", "2026-02-31", "--json")
    assert (code, err, json.loads(out)["error"]["data"]["type"]) == (1, "", "invalid_params")


def test_the_command_loads_no_server() -> None:
    code = f"import sys, {usage.__name__}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"sidecar.app", "sidecar.methods", "sidecar.storage", "sqlite3"})
