"""What is promised, and which transcripts and scenarios show it; `python tests/covered.py` prints the report."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from conformance import TRANSCRIPTS, load
from replay import REPLAY, SCENARIOS
from replay import load as load_scenario

from sidecar.methods import discovery

RESERVED_FOR_CLIENTS: Final = frozenset({"connection_closed", "sidecar_not_found"})
GUARANTEES: Final = range(1, 7)
RULE: Final = re.compile(r"^\| `([\w-]+)` \|", re.MULTILINE)

Shown = dict[str, list[str]]
"""The names of transcripts or scenarios, by what they show."""


def of_the_protocol() -> Shown:
    """Return the transcripts that show each guarantee, method, notification and error type."""
    meta: dict[str, Any] = msgspec.to_builtins(discovery.meta())
    promised = [
        *(f"guarantee:{number}" for number in GUARANTEES),
        *(f"method:{row['name']}" for row in meta["methods"]),
        *(f"notification:{row['name']}" for row in meta["notifications"]),
        *(f"error:{row['type']}" for row in meta["error_types"] if row["type"] not in RESERVED_FOR_CLIENTS),
    ]
    return _shown(promised, ((path, load(path)[0]["covers"]) for path in TRANSCRIPTS))


def of_the_clients() -> Shown:
    """Return the scenarios that show each rule of the contract of clients."""
    rules = (REPLAY / "README.md").read_text("utf-8").partition("## Rules")[2].partition("Some rules")[0]
    return _shown(RULE.findall(rules), ((path, load_scenario(path)["covers"]) for path in SCENARIOS))


def _shown(promised: Iterable[str], covers: Iterable[tuple[Path, list[str]]]) -> Shown:
    shown: Shown = {name: [] for name in promised}
    for path, names in covers:
        for name in names:
            # What is shown although nobody promised it is a slip in the file.
            shown[name].append(path.stem)
    return shown


def report() -> Iterator[str]:
    """Yield lines: what is promised, and where it is shown."""
    for title, shown in (
        ("The protocol, in transcripts", of_the_protocol()),
        ("Clients, in scenarios", of_the_clients()),
    ):
        yield f"{title}: {sum(map(bool, shown.values()))} of {len(shown)}"
        yield from (f"  {name:36}{', '.join(files) or 'NOWHERE'}" for name, files in shown.items())


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report())
