"""What a host may choose."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from llm_sidecar.protocol import ClientInfo

NAMELESS: Final = ClientInfo(name="llm-sidecar-client")
MEBIBYTE: Final = 1 << 20


def _ignore(line: str) -> None:
    """Do without logs."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the sidecar is started, and how long things may take. Times are in seconds."""

    command: str | os.PathLike[str] | None = None
    """The executable; without it, it is looked for (see `clients/README.md`)."""
    args: Sequence[str] = ()
    """The sidecar's flags."""
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """What is added to the host's environment."""
    cwd: str | os.PathLike[str] | None = None
    client_info: ClientInfo = NAMELESS
    """The app; keys are kept in the system's keychain under its name."""
    on_log: Callable[[str], None] = _ignore
    """Is given each line of stderr, and what is wrong with lines that cannot be read. It must not raise."""
    restart: bool = True
    """Whether a sidecar that has gone is started anew at the next call."""
    start_timeout: float = 10.0
    """How long the handshake may take."""
    stop_grace: float = 5.0
    """How long the sidecar may take to end before it is terminated."""
    cancel_grace: float = 2.0
    """How long the reply to a stream that was cancelled may take."""
    max_line_bytes: int = 256 * MEBIBYTE
    """A longer line ends the connection."""
    max_unread_events: int = 100_000
    """A stream of which more is left unread is cancelled."""
