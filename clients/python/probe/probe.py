"""The probe of this client: takes the steps of a scenario, and writes what each of them saw.

`python probe.py SCENARIO.json COMMAND ARG…`; `protocol/replay/README.md` says what the steps are. The event loop is
asyncio's, or the one that the environment variable PROBE_BACKEND names.
"""

import json
import math
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, cast

import anyio
import msgspec
from anyio.abc import TaskGroup, TaskStatus
from anyio.lowlevel import checkpoint

from llm_sidecar import Conversation, Event, Options, Sidecar, SidecarError, Stream, decode, encode, start_sidecar
from llm_sidecar.protocol import ChatResult, Message, StreamRequest, Text

PATIENCE: Final = 15.0
"""Seconds that a step may take."""
TURNS: Final = 5
"""After so many turns of the event loop a call that was begun has written its request."""
LONGEST_TEXT: Final = 1000
MILLISECONDS: Final = {
    "start_timeout_ms": "start_timeout",
    "stop_grace_ms": "stop_grace",
    "cancel_grace_ms": "cancel_grace",
}
DEFAULT_REQUEST: Final = {"messages": [{"role": "user", "content": "Hi"}]}
CANCELLED: Final = {"error": {"type": "request_cancelled", "category": "protocol", "retryable": False}}

Seen = dict[str, Any]
Step = dict[str, Any]


class Log:
    """The lines that the log callback was given."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._more = anyio.Event()

    def add(self, line: str) -> None:
        self._lines.append(line)
        self._more.set()

    async def contains(self, text: str) -> None:
        seen = 0
        while not any(text in line for line in self._lines[seen:]):
            seen = len(self._lines)
            self._more = anyio.Event()
            await self._more.wait()


class Begun:
    """A call that goes on while other steps are taken."""

    def __init__(self) -> None:
        self.done: Final = anyio.Event()
        self.seen: Seen = {}


class Probe:
    """A host. Each step `{"do": NAME}` is the method `do_name`."""

    def __init__(self, command: list[str], tasks: TaskGroup) -> None:
        self._command = command
        self._tasks = tasks
        self._over = anyio.Event()
        self._log = Log()
        self._streams: dict[str, Stream] = {}
        self._iterations: dict[str, AsyncIterator[Event]] = {}
        self._begun: dict[str, Begun] = {}
        self._sidecar: Sidecar | None = None
        self._conversation: Conversation | None = None

    @property
    def sidecar(self) -> Sidecar:
        """The sidecar, which was started."""
        assert self._sidecar
        return self._sidecar

    async def take(self, step: Step) -> Seen:
        """Take a step and return what it saw."""
        do: Callable[[Step], Awaitable[Seen]] = getattr(self, f"do_{step['do']}")
        with anyio.move_on_after(math.inf if step["do"] == "wait" else PATIENCE):
            try:
                return await do(step)
            except SidecarError as error:
                return {"error": shown_error(error)}
        return {"timeout": True}

    async def do_start(self, step: Step) -> Seen:
        given: dict[str, Any] = step.get("options", {})
        seconds = {MILLISECONDS[name]: value / 1000 for name, value in given.items() if name in MILLISECONDS}
        others = {name: value for name, value in given.items() if name not in MILLISECONDS}
        command, *args = self._command
        options = Options(command=command, args=args, on_log=self._log.add, **seconds, **others)
        self._sidecar = await self._tasks.start(self._live, options)
        return {"started": True}

    async def _live(self, options: Options, *, task_status: TaskStatus[Sidecar]) -> None:
        async with start_sidecar(options) as sidecar:
            task_status.started(sidecar)
            await self._over.wait()

    def end(self) -> None:
        """Let go of what was started."""
        self._over.set()

    async def do_call(self, step: Step) -> Seen:
        if "cancel_after_ms" not in step:
            return {"result": await self.sidecar.request(step["method"], step.get("params"))}
        with anyio.move_on_after(step["cancel_after_ms"] / 1000):
            return {"result": await self.sidecar.request(step["method"], step.get("params"))}
        return CANCELLED

    async def do_typed(self, step: Step) -> Seen:
        methods: dict[str, Callable[[], Awaitable[msgspec.Struct]]] = {
            "server.ping": self.sidecar.server.ping,
            "providers.list": self.sidecar.providers.list,
            "models.list": self.sidecar.models.list,
        }
        return {"result": as_json(await methods[step["method"]]())}

    async def do_begin(self, step: Step) -> Seen:
        begun = self._begun[step["as"]] = Begun()
        self._tasks.start_soon(self._go_on, step, begun)
        for _ in range(TURNS):
            await checkpoint()
        return {"begun": step["as"]}

    async def _go_on(self, step: Step, begun: Begun) -> None:
        try:
            begun.seen = await self.do_call(step)
        except SidecarError as error:
            begun.seen = {"error": shown_error(error)}
        begun.done.set()

    async def do_end(self, step: Step) -> Seen:
        begun = self._begun.pop(step["as"])
        await begun.done.wait()
        return begun.seen

    async def do_stream(self, step: Step) -> Seen:
        request = decode(json.dumps(step.get("params", DEFAULT_REQUEST)).encode(), StreamRequest)
        stream = self._streams[step["as"]] = self.sidecar.chat.stream(request)
        return {"stream_id": stream.id}

    async def do_read(self, step: Step) -> Seen:
        stream = self._streams[step["as"]]
        # What is kept is not left: a later step reads on.
        iteration = self._iterations.setdefault(step["as"], aiter(stream))
        if "count" in step:
            return {"events": [as_json(await anext(iteration)) for _ in range(step["count"])]}
        events: list[Any] = []
        try:
            async for event in iteration:
                events.append(as_json(event))  # noqa: PERF401 - what came before an error counts
        except SidecarError as error:
            return {"events": events, "error": shown_error(error)}
        return {"events": events, "result": shown_result(await stream.result())}

    async def do_texts(self, step: Step) -> Seen:
        stream = self._streams[step["as"]]
        texts: list[str] = []
        try:
            async for text in stream.texts():
                texts.append(text)  # noqa: PERF401 - what came before an error counts
        except SidecarError as error:
            return {"text": "".join(texts), "error": shown_error(error)}
        return {"text": "".join(texts), "result": shown_result(await stream.result())}

    async def do_result(self, step: Step) -> Seen:
        return {"result": shown_result(await self._streams[step["as"]].result())}

    async def do_cancel(self, step: Step) -> Seen:
        await self._streams[step["as"]].cancel()
        return {"cancelled": step["as"]}

    async def do_leave(self, step: Step) -> Seen:
        events: list[Any] = []
        async for event in self._streams[step["as"]]:
            events.append(as_json(event))
            if len(events) == step["count"]:
                break
        return {"events": events}

    async def do_log(self, step: Step) -> Seen:
        await self._log.contains(step["contains"])
        return {"logged": True}

    async def do_converse(self, step: Step) -> Seen:
        stream = self._talk().send(step["content"])
        self._streams[step["as"]] = stream
        return {"result": shown_result(await stream.result())}

    async def do_messages(self, _: Step) -> Seen:
        return {"messages": json.loads(self._talk().json)}

    def _talk(self) -> Conversation:
        self._conversation = self._conversation or Conversation(self.sidecar)
        return self._conversation

    async def do_pid(self, _: Step) -> Seen:
        return {"pid": self.sidecar.pid}

    async def do_wait(self, _: Step) -> Seen:
        await anyio.sleep_forever()
        return {}

    async def do_close(self, _: Step) -> Seen:
        await self.sidecar.close()
        return {"closed": True}


def as_json(value: Any) -> Any:
    """Return a value of the protocol as it is written."""
    return json.loads(encode(value))


def shown_error(error: SidecarError) -> Seen:
    """Return what the scenarios look at in an error."""
    seen: Seen = {"type": error.type, "category": error.category, "retryable": error.retryable}
    if error.retry_after is not None:
        seen["retry_after_ms"] = round(error.retry_after.total_seconds() * 1000)
    if error.data.partial:
        seen["partial"] = text_of(error.data.partial)
    return seen


def shown_result(result: ChatResult) -> Seen:
    """Return what the scenarios look at in the result of a stream."""
    text = text_of(result.message) if isinstance(result.message, Message) else None
    return {"finish_reason": result.finish_reason.reason, "chunks": as_json(result).get("chunks"), "text": text}


def text_of(message: Message) -> str:
    """Return the texts of a message as one."""
    if isinstance(message.content, str):
        return message.content
    return "".join(part.text for part in message.content if isinstance(part, Text))


def shortened(value: object) -> object:
    """Return the value with long texts replaced by their lengths."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"<{len(value)} characters>"
    if isinstance(value, dict):
        return {name: shortened(inner) for name, inner in cast("Seen", value).items()}
    if isinstance(value, list):
        return [shortened(inner) for inner in cast("list[object]", value)]
    return value


async def main(scenario: str, command: list[str]) -> None:
    """Take the steps of the scenario."""
    steps: list[Step] = json.loads(await anyio.Path(scenario).read_text("utf-8"))["host"]
    async with anyio.create_task_group() as tasks:
        probe = Probe(command, tasks)
        for step in steps:
            seen = await probe.take(step)
            print(json.dumps(shortened(seen)), flush=True)
            if "timeout" in seen:
                break
        probe.end()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2:], backend=os.environ.get("PROBE_BACKEND", "asyncio"))
