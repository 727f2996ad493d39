"""The client with a process that does as the test says."""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from fake import HANDSHAKE, PATIENCE, QUESTION, Step, options

from llm_sidecar import Conversation, Options, SidecarError, executable, start_sidecar
from llm_sidecar.protocol import ConfigParams, OpenAIConfig, Text, ToolResult

pytestmark = pytest.mark.anyio
CALL: Step = {"await": "test.a", "as": "a"}
ASKED: Step = {"await": "chat.stream", "as": "s"}
HANG: Step = {"hang": True}
DYING: list[Step] = [HANDSHAKE, {"await": "test.lost", "as": "l"}, {"exit": 1}]


async def test_a_cancelled_call_is_cancelled_at_once_and_on_the_wire(tmp_path: Path) -> None:
    cancelled = {"await": "$/cancelRequest", "as": "c"}
    answer: Step = {"await": "test.b", "as": "b"}
    steps: list[Step] = [HANDSHAKE, CALL, cancelled, answer, {"reply": "b", "result": {"id": "$c.params.id"}}]
    with anyio.fail_after(PATIENCE):
        async with start_sidecar(options(tmp_path, steps)) as sidecar:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(sidecar.request, "test.a")
                    await anyio.wait_all_tasks_blocked()
                    scope.cancel()
            assert scope.cancelled_caught
            assert "id" in await sidecar.request("test.b")


async def test_what_the_host_raises_comes_out_as_it_is(tmp_path: Path) -> None:
    with anyio.fail_after(PATIENCE), pytest.raises(KeyError):
        async with start_sidecar(options(tmp_path, [HANDSHAKE])):
            raise KeyError


async def test_a_cancelled_host_leaves_no_process(tmp_path: Path) -> None:
    pid = None
    with anyio.fail_after(PATIENCE):
        with anyio.CancelScope() as scope:
            async with start_sidecar(options(tmp_path, [HANDSHAKE, HANG], stop_grace=0.1)) as sidecar:
                pid = sidecar.pid
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_start_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    steps: list[Step] = [{"stderr": "up\n"}, HANG]
    with anyio.fail_after(PATIENCE):
        with anyio.CancelScope() as scope:
            async with start_sidecar(options(tmp_path, steps, on_log=scope.cancel)):
                pytest.fail("it cannot start")
        assert scope.cancelled_caught
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pids").read_text()), 0)


async def test_errors_say_when_to_try_again(tmp_path: Path) -> None:
    data = {"type": "rate_limited", "category": "ai", "retryable": True, "retry_after_ms": 1500, "hint": "Wait."}
    refusal = {"reply": "a", "error": {"code": 1204, "message": "Too many.", "data": data}}
    with anyio.fail_after(PATIENCE):
        async with start_sidecar(options(tmp_path, [HANDSHAKE, CALL, refusal])) as sidecar:
            with pytest.raises(SidecarError, match="Too many") as caught:
                await sidecar.request("test.a")
    error = caught.value
    assert (error.type, error.code, error.retryable) == ("rate_limited", 1204, True)
    assert error.retry_after == timedelta(seconds=1.5)
    assert error.data.hint == "Wait."
    assert repr(error) == "SidecarError('rate_limited', 'Too many.')"


async def test_a_sidecar_that_died_is_started_anew_with_its_configurations(tmp_path: Path) -> None:
    configure = {"await": "providers.configure", "as": "p"}
    shown: Step = {"provider": "openai", "kind": "openai", "key": {"source": "config"}}
    first: list[Step] = [HANDSHAKE, configure, {"reply": "p", "result": shown}, HANG]
    second: list[Step] = [HANDSHAKE, configure, CALL, {"reply": "a", "result": {"key": "$p.params.config.api_key"}}]
    with anyio.fail_after(PATIENCE):
        async with start_sidecar(options(tmp_path, first, second)) as sidecar:
            await sidecar.providers.configure(ConfigParams(config=OpenAIConfig(api_key="sk-1")))
            assert sidecar.pid
            os.kill(sidecar.pid, signal.SIGKILL)
            with pytest.raises(SidecarError) as caught:
                await sidecar.request("test.lost")
            assert caught.value.type == "connection_closed"
            assert await sidecar.request("test.a") == {"key": "sk-1"}


async def test_a_stream_can_wait_for_the_restart(tmp_path: Path) -> None:
    answer: list[Step] = [ASKED, {"chunks": 1, "stream": "s", "text": "Hi"}, {"finish": "s", "chunks": 1, "text": "Hi"}]
    with anyio.fail_after(PATIENCE):
        async with start_sidecar(options(tmp_path, DYING, [HANDSHAKE, *answer])) as sidecar:
            with pytest.raises(SidecarError):
                await sidecar.request("test.lost")
            stream = sidecar.chat.stream(QUESTION)
            assert [text async for text in stream.texts()] == ["Hi"]


async def test_a_stream_that_was_cancelled_before_it_was_sent_is_cancelled(tmp_path: Path) -> None:
    with anyio.fail_after(PATIENCE):
        async with start_sidecar(options(tmp_path, DYING, [HANDSHAKE])) as sidecar:
            with pytest.raises(SidecarError):
                await sidecar.request("test.lost")
            stream = sidecar.chat.stream(QUESTION)
            await stream.cancel()
            with pytest.raises(SidecarError) as caught:
                await stream.result()
    assert caught.value.type == "request_cancelled"


async def test_a_closed_sidecar_takes_no_calls(tmp_path: Path) -> None:
    with anyio.fail_after(PATIENCE):
        async with start_sidecar(options(tmp_path, [HANDSHAKE])) as sidecar:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(sidecar.close)
                tasks.start_soon(sidecar.close)
            await sidecar.close()
            with pytest.raises(SidecarError, match="gone"):
                await sidecar.request("test.a")
            with pytest.raises(SidecarError, match="gone"):
                await sidecar.chat.stream(QUESTION).result()


async def test_what_is_called_after_the_end_fails(tmp_path: Path) -> None:
    with anyio.fail_after(PATIENCE):
        async with start_sidecar(options(tmp_path, [HANDSHAKE])) as sidecar:
            pass
        with pytest.raises(SidecarError, match="gone"):
            await sidecar.request("test.a")
        with pytest.raises(SidecarError, match="gone"):
            await sidecar.chat.stream(QUESTION).result()
        assert sidecar.pid is None


async def test_a_conversation_answers_tool_calls_and_is_restored(tmp_path: Path) -> None:
    steps: list[Step] = [HANDSHAKE, ASKED, {"finish": "s", "chunks": 0, "text": "One"}, {**ASKED, "as": "t"}]
    steps.append({"finish": "t", "chunks": 0, "text": "Two"})
    with anyio.fail_after(PATIENCE):
        async with start_sidecar(options(tmp_path, steps)) as sidecar:
            conversation = Conversation(sidecar, QUESTION)
            await conversation.answer([ToolResult(tool_call_id="c", content="4")]).result()
            again = Conversation(sidecar)
            again.restore(conversation.json)
            await again.send([Text(text="More?")]).result()
    assert [message.role for message in conversation.messages] == ["user", "tool", "assistant"]
    assert again.messages[:3] == conversation.messages
    assert [message.role for message in again.messages[3:]] == ["user", "assistant"]


@pytest.mark.parametrize("command", ["/nowhere/llm-sidecar", str(Path(__file__))])
async def test_an_executable_that_cannot_be_started_is_not_found(command: str) -> None:
    with pytest.raises(SidecarError) as caught:
        async with start_sidecar(Options(command=command)):
            pytest.fail("it cannot start")
    assert caught.value.type == "sidecar_not_found"


def test_the_executable_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def program(*path: str) -> str:
        file = tmp_path.joinpath(*path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o755)
        return str(file)

    monkeypatch.delenv("LLM_SIDECAR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "app" / "app"))
    with pytest.raises(SidecarError):
        executable.find(None)
    found = [program("path", "llm-sidecar")]
    assert executable.find(None) == found[-1]
    found.append(program("app", "llm-sidecar", "llm-sidecar"))
    assert executable.find(None) == found[-1]
    monkeypatch.setenv("LLM_SIDECAR", "/chosen")
    assert executable.find(None) == "/chosen"
    assert executable.find("/given") == "/given"


def test_options_do_not_show_the_environment() -> None:
    assert "sk-1" not in repr(Options(env={"OPENAI_API_KEY": "sk-1"}))
