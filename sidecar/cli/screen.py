"""The terminal: the answer, the line that says what is awaited, and notes around them."""

import io
import os
import re
import shutil
import sys
from typing import Final, Literal, TextIO

from sidecar.cli.bar import marks

ERASE_LINE: Final = "\r\x1b[2K"
DIM: Final = "\x1b[2m"
PLAIN: Final = "\x1b[0m"
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a model may not send to a terminal: all but tabs and line feeds."""

SHORTEST_BAR: Final = 8
LONGEST_BAR: Final = 40
GAP: Final = "  "

NoteLevel = Literal["none", "brief", "full"]
"""How much is said beside the answer: nothing, a summary, or also details and every state that it went through."""


class Screen:
    """Writes answers to stdout, and everything else to stderr. Only one line of status is ever shown.

    `live` tells whether there is a terminal for that line.
    """

    def __init__(self, answers: TextIO, notes: TextIO, level: NoteLevel) -> None:
        self._answers = answers
        self._notes = notes
        self._level = level
        self.live = notes.isatty() and os.environ.get("TERM") != "dumb"
        self._color = self.live and not os.environ.get("NO_COLOR")
        self._marks = marks(notes.encoding)
        self._status = ""
        self._in_answer = False

    @property
    def columns(self) -> int | None:
        """How long a line of the answer may be; None where it goes to no terminal."""
        return shutil.get_terminal_size().columns if self._answers.isatty() else None

    def status(self, state: str, detail: str = "", share: float | None = None) -> None:
        """Show what is awaited, in place of what was shown before, unless the answer has begun.

        `share` is how much of it is done, 0 to 1, where that is known.
        """
        if self._in_answer or self._level == "none":
            return
        if state != self._status and self._level == "full":
            self._keep_status(state)
        self._status = state
        if self.live:
            self._write_note(ERASE_LINE + self._status_line(state, detail, share))

    def _status_line(self, state: str, detail: str, share: float | None) -> str:
        room = shutil.get_terminal_size().columns - 1
        columns = min(LONGEST_BAR, room - len(f"{state}{GAP}{detail}"))
        if share is None or columns < SHORTEST_BAR:
            return self._dim(f"{state}{detail}"[:room])
        done, left = self._marks.drawn(share, columns)
        return self._dim(f"{state}{GAP}") + done + self._dim(f"{left}{detail}")

    def text(self, text: str) -> None:
        """Write more of the answer."""
        self._clear()
        shown = _printable(text) if self._answers.isatty() else text
        self._answers.write(shown)
        self._answers.flush()
        self._in_answer = not text.endswith("\n")

    def end_answer(self) -> None:
        """End the answer's last line."""
        if self._in_answer:
            self.text("\n")
        self._clear()

    def note(self, line: str) -> None:
        """Write a line beside the answer, where notes are wanted."""
        if self._level != "none":
            self._line(self._dim(_printable(line)))

    def detail(self, line: str) -> None:
        """Write a line beside the answer, where everything is wanted."""
        if self._level == "full":
            self.note(line)

    def alert(self, line: str) -> None:
        """Write a line that is always wanted, such as an error."""
        self._line(_printable(line))

    def _keep_status(self, state: str) -> None:
        if self.live and self._status:
            self._write_note("\n")
        elif not self.live:
            self._write_note(f"{state}\n")

    def _line(self, line: str) -> None:
        self.end_answer()
        self._write_note(f"{line}\n")

    def _clear(self) -> None:
        if self._status and self.live:
            self._write_note("\n" if self._level == "full" else ERASE_LINE)
        self._status = ""

    def _write_note(self, text: str) -> None:
        self._notes.write(text)
        self._notes.flush()

    def _dim(self, text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if self._color else text


def _printable(text: str) -> str:
    return CONTROLS.sub("", text)


def open_screen(level: NoteLevel) -> Screen:
    """Return the screen of this process; characters that the terminal lacks are replaced."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    return Screen(sys.stdout, sys.stderr, level)
