"""What a worker process says, cut into lines."""

from sidecar.engines.llama.child import LONGEST, STDERR, STDOUT, Child


def test_lines_are_passed_on_however_they_come() -> None:
    reports: list[bytes] = []
    child = Child(reports.append, lambda _line: None)
    for piece in (b"on", b"e\ntwo\nthr", b"ee\n", b"half"):
        child.pipe_data_received(STDOUT, piece)
    child.pipe_connection_lost(STDOUT, None)
    assert (reports, child.silent[STDOUT].is_set()) == ([b"one", b"two", b"three"], True)


def test_a_log_without_line_ends_is_cut() -> None:
    notes: list[bytes] = []
    child = Child(lambda _line: None, notes.append)
    for _ in range(100):
        child.pipe_data_received(STDERR, b"x" * 1000)
    child.pipe_connection_lost(STDERR, None)
    assert notes == [b"x" * LONGEST[STDERR]]
