import io

import pytest

from sidecar.cli.bar import marks
from sidecar.cli.screen import NoteLevel, Screen


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def screen(level: NoteLevel = "brief") -> tuple[Screen, Tty]:
    """Return a screen whose two streams are one terminal, as they are in life."""
    shown = Tty()
    return Screen(shown, shown, level), shown


def test_the_answer_takes_the_place_of_the_status() -> None:
    terminal, shown = screen()
    terminal.status("loading model", " 43 %")
    terminal.text("Hi")
    terminal.status("thinking")
    terminal.text(" there")
    terminal.end_answer()
    assert shown.getvalue() == "\r\x1b[2K\x1b[2mloading model 43 %\x1b[0m\r\x1b[2KHi there\n"


def test_the_full_screen_keeps_a_line_of_every_state() -> None:
    terminal, shown = screen("full")
    terminal.status("loading model", " 1 %")
    terminal.status("loading model", " 99 %")
    terminal.status("thinking")
    terminal.text("Hi\n")
    assert shown.getvalue().replace("\r\x1b[2K", "<").replace("\x1b[2m", "").replace("\x1b[0m", "") == (
        "<loading model 1 %<loading model 99 %\n<thinking\nHi\n"
    )


def test_states_are_lines_where_there_is_no_terminal() -> None:
    answers, notes = io.StringIO(), io.StringIO()
    screen = Screen(answers, notes, "full")
    screen.status("loading model", " 1 %")
    screen.status("loading model", " 99 %")
    screen.status("thinking")
    screen.text("Hi")
    screen.note("done")
    assert (answers.getvalue(), notes.getvalue()) == ("Hi\n", "loading model\nthinking\ndone\n")


def test_no_color_leaves_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal, shown = screen()
    terminal.note("done")
    assert shown.getvalue() == "done\n"


def test_a_status_is_cut_to_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "11")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal, shown = screen()
    terminal.status("waiting for the first token")
    assert shown.getvalue() == "\r\x1b[2Kwaiting fo"


def test_a_status_whose_end_is_known_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    terminal, shown = screen()
    terminal.status("loading model", " 43 %", 0.434)
    assert shown.getvalue() == "\r\x1b[2K\x1b[2mloading model  \x1b[0m━━━\x1b[2m────── 43 %\x1b[0m"


def test_a_bar_that_has_no_room_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "28")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal, shown = screen()
    terminal.status("loading model", " 43 %", 0.434)
    assert shown.getvalue() == "\r\x1b[2Kloading model 43 %"


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "━━──"), (None, "━━──"), ("ascii", "##--"), ("cp1252", "##--")]
)
def test_a_bar_is_drawn_with_what_the_terminal_can_show(encoding: str | None, shown: str) -> None:
    assert "".join(marks(encoding).drawn(0.5, 4)) == shown


@pytest.mark.parametrize(("share", "done"), [(-1.0, 0), (0.999, 3), (1.0, 4), (2.0, 4)])
def test_a_bar_is_full_only_at_the_end(share: float, done: int) -> None:
    assert marks("ascii").drawn(share, 4) == ("#" * done, "-" * (4 - done))


def test_a_model_cannot_command_the_terminal() -> None:
    terminal, shown = screen()
    terminal.text("\x1b]0;title\x07a\tb\r\x9b2Jc\n")
    assert shown.getvalue() == "]0;titlea\tb2Jc\n"


def test_a_file_gets_the_answer_as_it_is() -> None:
    answers = io.StringIO()
    screen = Screen(answers, Tty(), "none")
    screen.status("thinking")
    screen.text("\x1b[1mbold\x1b[0m\n")
    assert answers.getvalue() == "\x1b[1mbold\x1b[0m\n"
