"""Questions to the engine of local models, and what becomes of its workers."""

import os
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from local_models import Question, target_for

from sidecar.engines.llama.local import LocalModels
from sidecar.handler import Target
from sidecar.schema.errors import SidecarError


def one_at_a_time(path: Path, **settings: Any) -> Target:
    """Return a target whose model answers one question at a time, so that the next is queued."""
    return target_for(path, **{"parallel": 1} | settings)


async def ask(engine: LocalModels, path: Path, content: str, **settings: Any) -> str:
    """Return the answer to a question."""
    question = Question(one_at_a_time(path, **settings), content)
    await engine.chat(question.call, question.emit)
    return question.said


async def refused(engine: LocalModels, question: Question) -> SidecarError:
    """Return why there is no answer."""
    with pytest.raises(SidecarError) as raised:
        await engine.chat(question.call, question.emit)
    return raised.value


async def chat_in(scope: anyio.CancelScope, engine: LocalModels, question: Question) -> None:
    """Ask, until the scope is cancelled."""
    with scope:
        await engine.chat(question.call, question.emit)


async def cancelled_after(engine: LocalModels, question: Question, moment: anyio.Event) -> float:
    """Cancel the question when `moment` comes; return how many seconds it took to end."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.chat, question.call, question.emit)
        await moment.wait()
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    return time.monotonic() - started


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await anyio.wait_readable(handle)
    finally:
        os.close(handle)
