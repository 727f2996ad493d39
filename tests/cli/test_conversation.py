import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from sidecar.cli import conversation as module
from sidecar.cli.client import Client
from sidecar.cli.conversation import Conversation
from sidecar.cli.options import parse
from sidecar.cli.screen import Screen
from sidecar.schema.chat import Message, Text

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


class Talk:
    """A conversation in which `typed` are typed."""

    def __init__(self, *typed: str | type[BaseException], request: dict[str, Any] | None = None) -> None:
        self.answers, self.notes = io.StringIO(), io.StringIO()
        self.typed = iter(typed)
        self.request = request or {}
        self.messages: list[Message] = []

    def read_question(self) -> str:
        match next(self.typed):
            case str(question):
                return question
            case error:
                raise error

    async def hold(self, *flags: str) -> int:
        options = parse(["--provider", "scripted", *flags])
        options.request.update(self.request)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                client = await Client.start(tasks, ["--scripted"], lambda _: None)
                conversation = Conversation(client, Screen(self.answers, self.notes, "brief"), options, tasks)
                code = await conversation.hold()
                assert await client.close() == 0
        self.messages = conversation._messages
        return code


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def talk(*typed: str | type[BaseException], **options: Any) -> Talk:
        made = Talk(*typed, **options)
        monkeypatch.setattr(module, "_read_question", made.read_question)
        return made

    return talk


def playing(*steps: Any) -> dict[str, Any]:
    return {"model": "script-1", "provider_options": {"scripted": {"steps": list(steps)}}}


async def test_questions_and_answers_are_kept(typing: Any) -> None:
    talk = typing("one", " ", "two", EOFError)
    assert await talk.hold("--system", "Be brief.") == 0
    said = [(message.role, message.content) for message in talk.messages]
    answer = [Text("Hello from the script.")]
    assert said == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", answer),
        ("user", "two"),
        ("assistant", answer),
    ]


async def test_a_question_that_failed_is_forgotten(typing: Any) -> None:
    talk = typing("one", EOFError, request=playing({"do": "error", "type": "provider_overloaded", "retry_after_ms": 1}))
    assert await talk.hold() == 0
    assert talk.messages == []
    assert talk.notes.getvalue().startswith("error: The provider is over capacity.\n")


async def test_ctrl_c_at_the_prompt_leaves_the_second_time(typing: Any) -> None:
    talk = typing(KeyboardInterrupt, KeyboardInterrupt)
    assert await talk.hold() == 130
    assert "Ctrl-C again, or Ctrl-D, to leave." in talk.notes.getvalue()


async def test_an_answer_in_between_forgives_ctrl_c(typing: Any) -> None:
    talk = typing(KeyboardInterrupt, "one", KeyboardInterrupt, EOFError)
    assert await talk.hold() == 0
    assert talk.answers.getvalue() == "Hello from the script.\n"


async def test_warnings_and_the_reason_of_an_end_are_told(typing: Any) -> None:
    steps = (
        {"do": "warning", "type": "unsupported_parameter", "message": "seed was left out"},
        {"do": "reasoning", "text": "hm"},
        {"do": "text", "text": "Cut"},
        {"do": "usage", "usage": {"input_tokens": 3, "output_tokens": 1}},
        {"do": "finish", "reason": "length"},
    )
    talk = typing("one", EOFError, request=playing(*steps))
    assert await talk.hold() == 0
    assert talk.answers.getvalue() == "Cut\n"
    lines = talk.notes.getvalue().splitlines()
    assert lines[:2] == [
        "warning: seed was left out",
        "The answer was cut short: it reached the limit of tokens.",
    ]
    assert lines[2].startswith("3 tokens in, 1 tokens out, first token ")


async def test_a_refusal_is_shown_as_the_answer(typing: Any) -> None:
    steps = ({"do": "refusal", "text": "I would rather not."}, {"do": "finish", "reason": "refusal"})
    talk = typing("one", EOFError, request=playing(*steps))
    assert await talk.hold() == 0
    assert talk.answers.getvalue() == "I would rather not.\n"
