"""The sidecar as a peer: spawns SIDECAR_CMD and speaks its protocol over stdio, as a lean host does."""

import asyncio
import os
import shlex
import subprocess
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec

import processes
from adapters.contract import Client, Messages

READ_SIZE = 1 << 18
INITIALIZE = {"protocol_version": 1, "client_info": {"name": "benchmark"}}


class Delta(msgspec.Struct):
    type: str
    text: str = ""


class Params(msgspec.Struct):
    stream_id: str = ""
    delta: Delta | None = None


class Line(msgspec.Struct):
    """A reply or a notification."""

    id: int | None = None
    method: str | None = None
    params: Params | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw | None = None


class Part(msgspec.Struct):
    type: str
    text: str = ""


class Message(msgspec.Struct):
    content: str | list[Part]


class Completion(msgspec.Struct):
    message: Message


decode = msgspec.json.Decoder(Line).decode
decode_completion = msgspec.json.Decoder(Completion).decode
encode = msgspec.json.Encoder().encode


def file_part(part: dict[str, Any]) -> dict[str, Any]:
    """An OpenAI image part as the sidecar's file part; other parts as they are."""
    if part["type"] != "image_url":
        return part
    head, _, data = part["image_url"]["url"].partition(";base64,")
    return {"type": "file", "media_type": head.removeprefix("data:"), "source": {"type": "base64", "data": data}}


def message_text(message: Message) -> str:
    """The joined text parts."""
    if isinstance(message.content, str):
        return message.content
    return "".join(part.text for part in message.content if part.type == "text")


class Call:
    """A pending request: its reply, and the text that came before it."""

    def __init__(self) -> None:
        self.texts: deque[str] = deque()
        self.reply: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self.reply.add_done_callback(self.wake)
        self.waiter: asyncio.Future[None] | None = None

    def wake(self, _: object = None) -> None:
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    async def wait(self) -> None:
        """Return when more has arrived."""
        self.waiter = asyncio.get_running_loop().create_future()
        await self.waiter

    def settle(self, line: Line) -> None:
        if line.error is None:
            self.reply.set_result(line.result)
        else:
            self.reply.set_exception(RuntimeError(bytes(line.error).decode()[:300]))


class Adapter(Client):
    """One sidecar with one provider, `bench`, that is the mock."""

    async def open(self) -> None:
        self.last_id = 0
        self.calls: dict[int, Call] = {}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "limit": READ_SIZE}
        self.spawned_at = time.monotonic_ns()
        command, folder = shlex.split(os.environ["SIDECAR_CMD"]), os.environ["SIDECAR_CWD"]
        self.process = await asyncio.create_subprocess_exec(*command, cwd=folder, **pipes)
        self.reading = asyncio.ensure_future(self.read())
        self.reading.add_done_callback(self.give_up)
        await self.ask("initialize", INITIALIZE)
        provider = {"provider": "openai_compatible", "id": "bench", "base_url": self.base + "/v1", "api_key": self.key}
        await self.ask("providers.configure", {"config": provider})

    def pids(self) -> list[int]:
        return processes.tree(self.process.pid)

    async def read(self) -> None:
        """Hand every line to its call, until the sidecar closes its output."""
        rest = b""
        while data := await self.process.stdout.read(READ_SIZE):
            *lines, rest = (rest + data if rest else data).split(b"\n")
            for line in lines:
                self.receive(decode(line))

    def give_up(self, reading: asyncio.Future[None]) -> None:
        """Fail what is pending: nothing more will be read."""
        reason = reading.exception() or EOFError("the sidecar closed its output")
        for call in self.calls.values():
            call.reply.set_exception(reason)

    def receive(self, line: Line) -> None:
        if line.method == "stream.chunk":
            if line.params.delta.type == "text":
                call = self.calls[int(line.params.stream_id)]
                call.texts.append(line.params.delta.text)
                call.wake()
        elif line.method is None:
            self.calls.pop(line.id).settle(line)

    def send(self, method: str, params: dict[str, Any]) -> Call:
        if self.reading.done():
            message = "the sidecar has closed its output"
            raise EOFError(message)
        call = self.calls[self.last_id] = Call()
        line = {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}
        self.process.stdin.write(encode(line) + b"\n")
        self.last_id += 1
        return call

    async def ask(self, method: str, params: dict[str, Any]) -> msgspec.Raw:
        """Send a request and wait for its reply; raise when it is an error."""
        call = self.send(method, params)
        await self.process.stdin.drain()
        return await call.reply

    async def unary(self, model: str, messages: Messages) -> str:
        question = {"provider": "bench", "model": model, "messages": messages, "include_message": True}
        return message_text(decode_completion(await self.ask("chat.complete", question)).message)

    async def stream(self, model: str, messages: Messages) -> AsyncIterator[str]:
        question = {"provider": "bench", "model": model, "messages": messages, "stream_id": str(self.last_id)}
        call = self.send("chat.stream", question)
        while call.texts or not call.reply.done():
            if call.texts:
                yield call.texts.popleft()
            else:
                await call.wait()
        call.reply.result()

    async def keychain(self) -> None:
        await self.ask("credentials.list", {})

    def native(self, messages: Messages) -> Messages:
        return [
            {**message, "content": [file_part(part) for part in message["content"]]}
            if isinstance(message["content"], list)
            else message
            for message in messages
        ]
