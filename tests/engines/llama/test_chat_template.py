import os
from pathlib import Path

import pytest
from local_models import gguf, target_for

from sidecar.engines.llama.chat_template import PLAIN, ChatTemplate, template_of, understood
from sidecar.engines.llama.protocol import Turn
from sidecar.engines.llama.request import encode
from sidecar.schema.chat import ChatRequest, Message

SWITCHED = ChatTemplate(thinks=True, switch="enable_thinking")
NO_SYSTEM = ChatTemplate(system=False)
MUTE = "{{ raise_exception('System role not supported') }}"
STRICT = "{% if message['role'] == 'user' %}\n{% else %}{{ raise_exception('Roles must alternate') }}{% endif %}"

TEMPLATES = [
    ("{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>{% endif %}", SWITCHED),
    ("{%- if thinking %}{{ 'Think aloud.' }}{% endif %}", ChatTemplate(thinks=True, switch="thinking")),
    ("{{ '<|Assistant|><think>\\n' }}", ChatTemplate(thinks=True)),
    ("{{ messages[0].content }}", PLAIN),
    (MUTE, NO_SYSTEM),
    (STRICT, NO_SYSTEM),
    (STRICT + "{% if message['role'] == 'system' %}{% endif %}", PLAIN),
]


@pytest.mark.parametrize(("template", "known"), TEMPLATES)
def test_the_template_in_a_file_tells_what_it_takes(tmp_path: Path, template: str, known: ChatTemplate) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf({"tokenizer.chat_template": template}))
    assert template_of(str(path)) == understood(template) == known


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf())
    assert template_of(str(path)) == PLAIN
    path.write_bytes(gguf({"tokenizer.chat_template": TEMPLATES[0][0]}))
    os.utime(path, ns=(1, 1))
    assert template_of(str(path)) == SWITCHED


def test_a_file_that_cannot_be_read_is_no_matter_yet(tmp_path: Path) -> None:
    assert template_of(str(tmp_path / "no.gguf")) == PLAIN
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    assert template_of(str(tmp_path / "bad.gguf")) == PLAIN


def test_instructions_are_words_of_the_user_where_the_template_takes_none() -> None:
    messages = [Message("system", "Be brief."), Message("user", "hi"), Message("developer", "Be kind.")]
    asked = encode(ChatRequest(messages=messages), target_for("/models/tiny.gguf"), NO_SYSTEM)
    assert asked.chat.messages == [Turn("user", "Be brief.\n\nhi\n\nBe kind.")]
