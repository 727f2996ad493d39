"""Sidecars that do as they are told: those of the replay scenarios."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from llm_sidecar import Options, Stream
from llm_sidecar.protocol import Message, StreamRequest

PLAYER: Final = Path(__file__).parents[3] / "protocol" / "replay" / "sidecar_replay.py"
PATIENCE: Final = 20.0
"""Seconds that a test waits for what must happen; far above what it takes."""
QUESTION: Final = StreamRequest(messages=[Message(role="user", content="Hi")])

Step = dict[str, Any]
HANDSHAKE: Final[Step] = {"handshake": True}


def options(folder: Path, *starts: list[Step], **chosen: Any) -> Options:
    """Return what starts a sidecar that takes these steps: one list for each time that it is started."""
    scenario = folder / "scenario.json"
    scenario.write_text(json.dumps({"sidecar": starts}), "utf-8")
    env = {"REPLAY_STATE": str(folder / "starts"), "REPLAY_PIDS": str(folder / "pids")}
    return Options(command=sys.executable, args=["-S", "-E", str(PLAYER), str(scenario)], env=env, **chosen)


def ignore(stream: Stream) -> None:
    """Cancel nothing: no sidecar knows of the stream."""
