"""A conversation with the active provider: one question, or a loop of them."""

import contextlib
import importlib
import signal
from typing import Final

import anyio
import msgspec
from anyio.abc import TaskGroup

from sidecar import __version__
from sidecar.cli import words
from sidecar.cli.client import CallFailed, Client
from sidecar.cli.interrupts import handled_by, on_interrupt
from sidecar.cli.options import Options
from sidecar.cli.screen import Screen
from sidecar.cli.session import FAILED, INTERRUPTED
from sidecar.schema.chat import ChatResult, Message, StreamRequest
from sidecar.schema.errors import ErrorObject
from sidecar.schema.events import ReasoningDelta, RefusalDelta, StreamChunk, StreamStatus, TextDelta
from sidecar.schema.providers import ConfiguredProvider
from sidecar.schema.session import ClientInfo

ANSWERED: Final = 0

APP: Final = ClientInfo("llm-sidecar", __version__)
STREAM_ID: Final = "chat"
PROMPT: Final = "> "
LEAVE: Final = "Ctrl-C again, or Ctrl-D, to leave."


class Conversation:
    """What has been said, and how it goes on."""

    def __init__(self, client: Client, screen: Screen, options: Options, tasks: TaskGroup) -> None:
        self._client = client
        self._screen = screen
        self._options = options
        self._tasks = tasks
        self._messages = [Message("system", options.system)] if options.system else []
        self._interrupts = 0

    async def hold(self) -> int:
        """Ask what is to be asked, and return the exit code."""
        try:
            await self._open()
            if self._options.prompt is None:
                return await self._loop()
            self._screen.detail(f"{PROMPT}{self._options.prompt}")
            return await self._ask(self._options.prompt)
        except CallFailed as failed:
            self._tell(failed.error)
            return FAILED

    async def _open(self) -> None:
        started = anyio.current_time()
        session = await self._client.initialize(APP)
        took_ms = (anyio.current_time() - started) * 1000
        server = session.server_info
        self._screen.detail(f"{server.name} {server.version}, process {server.pid}, ready after {took_ms:.0f} ms")
        config = {"config": self._options.config}
        active = await self._client.call("providers.set_active", config, ConfiguredProvider)
        self._screen.detail(f"provider {active.provider}, model {active.model or 'not chosen'}")

    async def _loop(self) -> int:
        while self._interrupts <= 1:
            try:
                question = _read_question()
            except EOFError:
                self._screen.note("")
                return ANSWERED
            except KeyboardInterrupt:
                self._interrupts += 1
                self._screen.note(f"\n{LEAVE}" if self._interrupts == 1 else "")
                continue
            if question.strip():
                await self._ask(question)
        return INTERRUPTED

    async def _ask(self, question: str) -> int:
        """Ask, show the answer, and keep both if there is one."""
        self._messages.append(Message("user", question))
        try:
            result = await self._answer()
        except CallFailed as failed:
            if failed.error.data.type == "connection_closed":
                raise
            self._messages.pop()
            self._tell(failed.error)
            return FAILED
        if result is None:
            return INTERRUPTED
        if result.message:
            self._messages.append(result.message)
        self._sum_up(result)
        return INTERRUPTED if result.finish_reason.reason == "cancelled" else ANSWERED

    async def _answer(self) -> ChatResult | None:
        """Return the answer, or None when it was not waited for."""
        self._interrupts = 0
        request = StreamRequest(messages=self._messages, stream_id=STREAM_ID, **self._options.request)
        with anyio.CancelScope() as patience, on_interrupt(lambda: self._interrupted(patience)):
            return await self._client.stream(request, self._show)
        return None

    def _interrupted(self, patience: anyio.CancelScope) -> None:
        self._interrupts += 1
        if self._interrupts == 1:
            self._tasks.start_soon(self._cancel)
        else:
            patience.cancel()

    async def _cancel(self) -> None:
        with contextlib.suppress(CallFailed):
            await self._client.cancel(STREAM_ID)

    def _show(self, event: StreamChunk | StreamStatus) -> None:
        match event:
            case StreamStatus():
                self._screen.status(*words.waiting(event), share=event.progress)
            case StreamChunk(delta=ReasoningDelta()):
                self._screen.status(words.STATES["thinking"])
            case StreamChunk(delta=TextDelta(text=text) | RefusalDelta(text=text)) if not self._options.json:
                self._screen.text(text)
            case _:
                pass

    def _sum_up(self, result: ChatResult) -> None:
        if self._options.json:
            self._screen.text(f"{msgspec.json.encode(result).decode()}\n")
        self._screen.end_answer()
        for warning in result.warnings:
            self._screen.alert(f"warning: {warning.message}")
        if ending := words.ENDINGS.get(result.finish_reason.reason):
            self._screen.note(ending)
        for line in (*words.loading(result.timing), words.summary(result)):
            self._screen.note(line)

    def _tell(self, error: ErrorObject) -> None:
        if self._options.json:
            self._screen.text(f"{msgspec.json.encode({'error': error}).decode()}\n")
        for line in words.failure(error):
            self._screen.alert(line)


def _read_question() -> str:
    """Wait for a line, and let the event loop wait, too: nothing else goes on while a person types."""
    with contextlib.suppress(ImportError):
        importlib.import_module("readline")  # lets `input` edit and recall lines
    with handled_by(lambda: signal.default_int_handler(signal.SIGINT, None)):
        return input(PROMPT)
