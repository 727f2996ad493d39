"""The terminal: the answer, the line that says what is awaited, and notes around them."""

import io
import os
import re
import shutil
import sys
from typing import Final, Literal, TextIO

ERASE_LINE: Final = "\r\x1b[2K"
DIM: Final = "\x1b[2m"
PLAIN: Final = "\x1b[0m"
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a model may not send to a terminal: all but tabs and line feeds."""

NoteLevel = Literal["none", "brief", "full"]
"""How much is said beside the answer: nothing, a summary, or also details and every state that it went through."""


class Screen:
    """Writes answers to stdout, and everything else to stderr. Only one line of status is ever shown."""

    def __init__(self, answers: TextIO, notes: TextIO, level: NoteLevel) -> None:
        self._answers = answers
        self._notes = notes
        self._level = level
        self._live = notes.isatty() and os.environ.get("TERM") != "dumb"
        self._color = self._live and not os.environ.get("NO_COLOR")
        self._status = ""
        self._in_answer = False

    def status(self, state: str, detail: str = "") -> None:
        """Show what is awaited, in place of what was shown before, unless the answer has begun."""
        if self._in_answer or self._level == "none":
            return
        if state != self._status and self._level == "full":
            self._keep_status(state)
        self._status = state
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._write_note(ERASE_LINE + self._dim(f"{state}{detail}"[:width]))

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
        if self._live and self._status:
            self._write_note("\n")
        elif not self._live:
            self._write_note(f"{state}\n")

    def _line(self, line: str) -> None:
        self.end_answer()
        self._write_note(f"{line}\n")

    def _clear(self) -> None:
        if self._status and self._live:
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
