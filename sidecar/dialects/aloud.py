"""Thoughts that come as words, between `<think>` and `</think>` at the beginning of an answer."""

from typing import Final, Literal

OPENING: Final = "<think>"
CLOSING: Final = "</think>"

Pieces = tuple[str, str]
"""More thoughts, and more words."""


class Aloud:
    """Tells thoughts from words as they come."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["undecided", "opened", "thinking", "thought", "speaking"] = "undecided"

    def split(self, text: str) -> Pieces:
        """Return what is certain by now; what may be the beginning of a mark is kept back."""
        if self._state == "speaking":
            return "", text
        text, self._held = self._held + text, ""
        if self._state == "undecided":
            begun = text.lstrip()
            if OPENING.startswith(begun[: len(OPENING)]) and len(begun) < len(OPENING):
                self._held = text
                return "", ""
            if not begun.startswith(OPENING):
                self._state = "speaking"
                return "", text
            self._state, text = "opened", begun[len(OPENING) :]
        if self._state == "opened":
            text = text.lstrip("\n")
            self._state = "thinking" if text else "opened"
        return self._think(text) if self._state in ("opened", "thinking") else self._speak("", text)

    def rest(self) -> Pieces:
        """Return what was kept back, now that the text has ended."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "thinking" else ("", held)

    def _think(self, text: str) -> Pieces:
        thoughts, closing, words = text.partition(CLOSING)
        if closing:
            self._state = "thought"
            return self._speak(thoughts, words)
        doubtful = (size for size in range(len(CLOSING) - 1, 0, -1) if text.endswith(CLOSING[:size]))
        certain = len(text) - next(doubtful, 0)
        self._held = text[certain:]
        return text[:certain], ""

    def _speak(self, thoughts: str, words: str) -> Pieces:
        """Leave out the blank lines between thoughts and words."""
        words = words.lstrip("\n")
        self._state = "speaking" if words else "thought"
        return thoughts, words
