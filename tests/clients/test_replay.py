"""What each client makes of a sidecar that misbehaves is what `protocol/replay` says."""

from pathlib import Path

import pytest
from probes import PROBES
from replay import SCENARIOS, divergences


@pytest.fixture(scope="session", params=PROBES)
def probe(request: pytest.FixtureRequest) -> list[str]:
    return PROBES[request.param]()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_client_makes_of_the_scenario_what_it_must(probe: list[str], path: Path, tmp_path: Path) -> None:
    assert divergences(probe, path, tmp_path) == []
