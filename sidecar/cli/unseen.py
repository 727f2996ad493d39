"""A secret that is typed without being seen, or comes as a line of stdin."""

import getpass
import sys
import warnings
from typing import Final

MAX_LINE: Final = 65_536
"""More than any key has; what is longer is cut here, and refused by the sidecar."""


class NothingRead(Exception):  # noqa: N818 - what happened, in a line for people
    """There is no secret to go on with."""


def read(prompt: str) -> str:
    """Return what is typed at the terminal, else the first line of stdin, without its line feed.

    Raise `NothingRead` where that is empty, or could not be typed unseen.
    """
    typed = _typed(prompt) if sys.stdin.isatty() else sys.stdin.buffer.readline(MAX_LINE).decode(errors="replace")
    if not typed.strip():
        raise NothingRead("error: No key was given.")
    return typed.rstrip("\r\n")


def _typed(prompt: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # warns, and then shows what is typed
        try:
            return getpass.getpass(prompt)
        except EOFError:
            return ""
        except getpass.GetPassWarning:
            message = "error: This terminal would show the key; give it as a line of stdin instead."
            raise NothingRead(message) from None
        except UnicodeDecodeError:
            raise NothingRead("error: The key holds characters beyond ASCII.") from None
