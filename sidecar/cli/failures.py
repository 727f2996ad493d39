"""How a call that failed is told: to programs as a line of JSON, to people in words."""

from typing import Protocol

import msgspec

from sidecar.cli import words
from sidecar.cli.client import CallFailed
from sidecar.cli.screen import Screen


class Options(Protocol):
    """As much of a command's options as says for whom it writes."""

    @property
    def json(self) -> bool: ...


def tell(failed: CallFailed, options: Options, screen: Screen) -> None:
    """Write the error where it is wanted."""
    if options.json:
        screen.text(f"{msgspec.json.encode({'error': failed.error}).decode()}\n")
        return
    for line in words.failure(failed.error):
        screen.alert(line)
