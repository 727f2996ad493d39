"""Whatever becomes of the database, chats go on, through the real process."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import host as hosts
import pytest
import upstream
from broken_files import damaged, garbage, newer, truncated
from host import PATIENCE_S, Host, script, session

resource = pytest.importorskip("resource", reason="only on POSIX")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="only on POSIX: uses signals and limits of processes")

SAY = ({"do": "text", "text": "Fine."}, {"do": "finish"})
MOUNT = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


def file_of(home: Path) -> Path:
    return home / "data" / "data-tests.sqlite3"


def on_disk(home: Path) -> int:
    """Return how many attempts the file has; it must be sound."""
    connection = sqlite3.connect(file_of(home))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    (count,) = connection.execute("SELECT count(*) FROM attempts").fetchone()
    connection.close()
    return int(count)


def ask(host: Host, **options: Any) -> list[str]:
    """Have a question answered, and return the types of the warnings."""
    result = host.call("chat.complete", script(*SAY, **options))
    assert result["finish_reason"]["reason"] == "stop"
    return [warning["type"] for warning in result["warnings"]]


def count(host: Host) -> tuple[int, Any]:
    """Return how many attempts the ledger knows, and where it is."""
    summary = host.call("usage.summary")
    return summary["total"]["attempts"], summary["storage"]


def degraded(host: Host) -> tuple[int, str]:
    """Return how many attempts memory knows, and why it is memory; chats tell the same."""
    attempts, storage = count(host)
    result = host.call("chat.complete", script(*SAY))
    assert storage["state"] == "memory"
    assert storage["hint"]
    assert [(row["type"], row["message"]) for row in result["warnings"]] == [
        ("storage_unavailable", storage["problem"])
    ]
    return attempts, storage["problem"].removeprefix("Costs, budgets and kept answers are in memory alone. ")


def end_of_input(host: Host) -> int:
    return host.end()


def shutdown(host: Host) -> int:
    host.call("shutdown")
    return host.wait()


def terminate(host: Host) -> int:
    host.process.send_signal(signal.SIGTERM)
    return host.wait() - 128 - signal.SIGTERM


@pytest.mark.parametrize("leave", [end_of_input, shutdown, terminate])
def test_an_entry_outlives_an_exit_right_after_the_reply(tmp_path: Path, leave: Callable[[Host], int]) -> None:
    with Host(tmp_path, "--scripted") as host:
        host.initialize()
        ask(host)
        assert leave(host) == 0
    assert on_disk(tmp_path) == 1
    assert [path.name for path in file_of(tmp_path).parent.iterdir()] == ["data-tests.sqlite3"]


def test_the_next_session_knows_what_was_used(tmp_path: Path) -> None:
    for expected in (1, 2):
        with session(tmp_path, "--scripted") as host:
            assert ask(host) == []
            assert count(host) == (expected, {"state": "disk"})


def test_another_app_has_another_ledger(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        ask(host)
    with session(tmp_path, "--scripted", "--app-id", "other") as host:
        assert count(host) == (0, {"state": "disk"})


@pytest.mark.parametrize("answers", [0, 1, 3, 20])
def test_a_killed_sidecar_leaves_a_ledger_that_can_be_read(tmp_path: Path, answers: int) -> None:
    with Host(tmp_path, "--scripted") as host:
        host.initialize()
        for _ in range(40):
            host.send("chat.complete", script(*SAY))
        for _ in range(answers):
            assert host.receive()
        host.process.kill()
        host.wait()
    with session(tmp_path, "--scripted") as host:
        before, storage = count(host)
        assert (0 <= before <= 40, storage) == (True, {"state": "disk"})
        ask(host)
        assert count(host)[0] == before + 1
    assert on_disk(tmp_path) == before + 1


def test_what_a_summary_has_told_outlives_a_kill(tmp_path: Path) -> None:
    with Host(tmp_path, "--scripted") as host:
        host.initialize()
        ask(host)
        assert count(host)[0] == 1
        host.process.kill()
        host.wait()
    assert on_disk(tmp_path) == 1


def test_two_sidecars_write_one_ledger(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as one, session(tmp_path, "--scripted") as other:
        for host in (one, other) * 30:
            host.send("chat.complete", script(*SAY))
        for host in (one, other) * 30:
            assert host.receive()["result"]["warnings"] == []
        counts = {count(host)[0] for host in (one, other, one)}
        assert max(counts) == 60
    assert on_disk(tmp_path) == 60


def test_memory_by_choice_is_no_problem_and_leaves_nothing(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted", "--storage", "memory") as host:
        assert (ask(host), ask(host)) == ([], [])
        assert count(host) == (2, {"state": "memory"})
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (garbage, "The file is damaged."),
        (truncated, "The file is damaged."),
        (damaged, "The file is damaged."),
        (newer, "A later version has written the file."),
    ],
)
def test_a_file_that_cannot_be_used_is_left_alone(tmp_path: Path, harm: Callable[[Path], None], problem: str) -> None:
    with session(tmp_path, "--scripted") as host:
        ask(host)
    harm(file_of(tmp_path))
    content = file_of(tmp_path).read_bytes()
    with session(tmp_path, "--scripted") as host:
        ask(host)
        assert degraded(host) == (1, problem)
    assert file_of(tmp_path).read_bytes() == content


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with session(tmp_path, "--scripted") as host:
        ask(host)
        assert degraded(host) == (1, "The data directory cannot be written.")


def mounted(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Have sidecars started where `command` has changed the mounts."""
    works = shutil.which(MOUNT[0]) and subprocess.run([*MOUNT, command], capture_output=True, check=False)
    if not works or works.returncode:
        pytest.skip("this machine lets nobody mount anything")
    plain = hosts.command
    monkeypatch.setattr(hosts, "command", lambda *flags: [*MOUNT, f'{command} && exec "$@"', "sh", *plain(*flags)])


def test_a_folder_that_is_read_only_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with session(tmp_path, "--scripted") as host:
        ask(host)
    folder = tmp_path / "data"
    mounted(monkeypatch, f"mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}'")
    with session(tmp_path, "--scripted") as host:
        ask(host)
        assert degraded(host) == (1, "The data directory cannot be written.")
    assert on_disk(tmp_path) == 1


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    mounted(monkeypatch, f"mount -t tmpfs -o size=128k none '{tmp_path / 'data'}'")
    with session(tmp_path, "--scripted") as host:
        asked = until_it_fails(host)
        attempts, problem = degraded(host)
        assert (1 <= attempts <= asked, problem) == (True, "There is no room on the disk.")


def until_it_fails(host: Host) -> int:
    """Return after how many questions the first warning came."""
    for number in range(1, 1000):
        if ask(host, tags=[f"{number}-{'x' * 50}" for number in range(8)]) == ["storage_unavailable"]:
            return number
    raise AssertionError("the disk has room without end")


@pytest.fixture
def bounded(tmp_path: Path) -> Iterator[Host]:
    """A sidecar whose files may not grow beyond a bound."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))

    with Host(tmp_path, "--scripted", preexec_fn=limit) as host:
        host.initialize()
        yield host


def test_entries_are_on_disk_in_the_end_if_there_is_room_by_then(tmp_path: Path, bounded: Host) -> None:
    if not hasattr(resource, "prlimit"):
        pytest.skip("this system changes no limits of running processes")
    ask(bounded)
    assert count(bounded)[0] == 1  # that one is on disk
    asked = 1 + until_it_fails(bounded)
    attempts, problem = degraded(bounded)
    assert problem == "The disk fails."
    assert 1 <= attempts < asked
    resource.prlimit(bounded.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert bounded.end() == 0
    assert on_disk(tmp_path) == asked + 1


def test_a_file_that_another_process_holds_delays_nobody(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        ask(host)
    holder = sqlite3.connect(file_of(tmp_path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with session(tmp_path, "--scripted", "--limit", f"storage_ms={int(PATIENCE_S * 2000)}") as host:
        assert [ask(host) for _ in range(3)] == [[], [], []]
    holder.close()


def test_what_came_while_another_process_held_the_file_is_on_disk_in_the_end(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        ask(host)
    holder = sqlite3.connect(file_of(tmp_path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with session(tmp_path, "--scripted", "--limit", "storage_ms=20") as host:
        ask(host)
        assert degraded(host) == (1, "Another process holds the file.")
        holder.execute("COMMIT")
        holder.close()
    assert on_disk(tmp_path) == 3


def test_no_key_and_no_words_are_on_disk(tmp_path: Path) -> None:
    content = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{"content":"ANSWER-WORDS"}}]}\n\n'
    end = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    with upstream.running(upstream.events(content, end)) as server, session(tmp_path) as host:
        config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "api_key": "sk-SECRET-KEY"}
        host.call("providers.set_active", {"config": config | {"model": "m-1"}})
        host.call("chat.complete", {"messages": [{"role": "user", "content": "PROMPT-WORDS"}], "tags": ["TAG"]})
        assert count(host)[0] == 1
        written = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert [word in written for word in (b"TAG", b"SECRET", b"PROMPT", b"ANSWER")] == [True, False, False, False]
