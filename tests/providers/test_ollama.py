"""Ollama in its own form, where the common one has no word."""

import json

import pytest
from asked import ask, models_url, target_of, url_of

from sidecar.dialects.named import dialect
from sidecar.engines.http import _aim
from sidecar.providers.ollama import OLLAMA, OllamaConfig
from sidecar.schema.chat import ReasoningOptions
from sidecar.schema.embeddings import EmbeddingRequest

COMMON, NATIVE = "http://127.0.0.1:11434/v1/chat/completions", "http://127.0.0.1:11434/api/chat"


def test_the_own_form_is_spoken_where_a_model_is_to_be_loaded_in_some_way() -> None:
    assert ask(OllamaConfig()).url == COMMON
    assert ask(OllamaConfig(), context_size=8192).url == NATIVE
    assert ask(OllamaConfig(context_size=8192)).url == NATIVE
    assert ask(OllamaConfig(keep_alive=0)).url == NATIVE
    assert ask(OllamaConfig(base_url="http://box.test:1/v1/"), context_size=9).url == "http://box.test:1/api/chat"
    assert ask(OllamaConfig(base_url="http://box.test:1"), context_size=9).url == "http://box.test:1/api/chat"


def test_a_question_says_how_the_model_is_to_be_loaded() -> None:
    config = OllamaConfig(context_size=4096, keep_alive="10m")
    assert ask(config, temperature=0.5).body == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "keep_alive": "10m",
        "options": {"num_ctx": 4096, "temperature": 0.5},
    }
    assert ask(config, context_size=8192).body["options"] == {"num_ctx": 8192}
    assert ask(config, provider_options={"ollama": {"options": {"min_p": 0.1}}}).body["options"] == {
        "num_ctx": 4096,
        "min_p": 0.1,
    }


def test_only_models_that_know_levels_are_told_one() -> None:
    assert ask(OllamaConfig(keep_alive=1), reasoning=ReasoningOptions("low")).body["think"] is True
    levelled = ask(OllamaConfig(keep_alive=1), reasoning=ReasoningOptions("low"), model="gpt-oss:20b")
    assert levelled.body["think"] == "low"


@pytest.mark.parametrize("config", [OllamaConfig(), OllamaConfig(keep_alive=1)])
def test_models_are_listed_in_the_same_place_in_both_forms(config: OllamaConfig) -> None:
    assert models_url(config) == "http://127.0.0.1:11434/api/tags"


def test_vectors_come_from_a_model_that_is_loaded_in_the_same_way() -> None:
    config = OllamaConfig(context_size=4096)
    spoken = dialect(OLLAMA.speaks(config))
    encoded = spoken.encode_embeddings(EmbeddingRequest(input=["a"]), _aim(target_of(config)))
    assert url_of(config, encoded.path) == "http://127.0.0.1:11434/api/embed"
    assert json.loads(encoded.body)["options"] == {"num_ctx": 4096}
    assert OLLAMA.speaks(OllamaConfig()) == "openai_chat"
