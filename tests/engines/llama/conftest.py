"""What the tests of local models share."""

from pathlib import Path

import pytest
from local_models import gguf

from sidecar.engines.llama import runtimes
from sidecar.engines.llama.protocol import RuntimeName

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf())
    return path


@pytest.fixture(params=["xllamacpp", "llama-cpp-python"])
def runtime(request: pytest.FixtureRequest) -> RuntimeName:
    name: RuntimeName = request.param
    if name not in runtimes.installed():
        pytest.skip(f"{name} is not installed")
    return name
