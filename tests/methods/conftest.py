"""A sidecar without a wire."""

from pathlib import Path

import pytest
from caller import Caller
from keychains import FakeBackend


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(tmp_path, FakeBackend())
