"""A machine that slept, through the real process: its wall clock jumps, and what it was connected to is gone."""

import os
from pathlib import Path

import pytest
import upstream
from host import ROOT, session
from upstream import Exchange

SITE = """
import time, pathlib
real, mark = time.time, pathlib.Path(__file__).with_name("slept")
time.time = lambda: real() + (3600 if mark.exists() else 0)
"""
"""Is imported by the interpreter before anything else: https://docs.python.org/3/library/site.html#module-sitecustomize"""

ANSWER = (
    b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}\n\n'
    b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


@pytest.mark.parametrize(("sleeps", "connections"), [(True, 2), (False, 1)])
def test_the_first_question_after_a_sleep_is_answered(tmp_path: Path, *, sleeps: bool, connections: int) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITE)
    lost: set[upstream.Connection] = set()

    async def handler(exchange: Exchange) -> None:
        if exchange.connection in lost:
            await exchange.hang()
        if sleeps:
            lost.add(exchange.connection)
        await upstream.events(ANSWER)(exchange)

    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    with upstream.running(handler) as server, session(tmp_path, env={"PYTHONPATH": path}) as host:
        config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "m-1"}
        host.call("providers.set_active", {"config": config})
        for _ in range(2):
            result = host.call("chat.complete", {"messages": [{"role": "user", "content": "Hi"}]})
            assert result["message"]["content"][0]["text"] == "Hello"
            if sleeps:
                (tmp_path / "slept").touch()
        assert server.connections == connections
