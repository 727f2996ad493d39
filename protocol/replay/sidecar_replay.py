"""A sidecar that plays a scenario: `python sidecar_replay.py SCENARIO.json`. Its README says what the steps mean.

`python sidecar_replay.py --plain SCENARIO.json` prints the scenario with its `$each` and `$repeat` written out.
"""

# ruff: noqa: INP001, S603 - a script, which starts itself

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

LIFETIME_S: Final = 60.0
"""No fake sidecar lives longer, and no child of one, whatever becomes of its host."""
READ_BYTES: Final = 1 << 16
STATE: Final = "REPLAY_STATE"
PIDS: Final = "REPLAY_PIDS"
REFERENCE: Final = re.compile(r"\$(\w+)\.([\w.]+)")
CANCELLING: Final = ("$/cancelRequest", "chat.cancel")
CHILD: Final = f"import time; time.sleep({LIFETIME_S})"

Message = dict[str, Any]


def plain(value: Any) -> Any:
    """Return a scenario, or a piece of one, with every `$each` and `$repeat` written out."""
    match value:
        case {"$repeat": [str(text), int(count)]}:
            return text * count
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for element in value for inner in _each(element)]
    return value


def _each(element: Any) -> Iterator[Any]:
    match element:
        case {"$each": [first, last], "steps": steps}:
            template = json.dumps(steps)
            for number in range(first, last + 1) if first <= last else range(first, last - 1, -1):
                yield from json.loads(template.replace("{n}", str(number)))
        case _:
            yield element


def steps_of_start(scenario: Any, start: int) -> list[Any]:
    """Return the steps to take at a start; those beyond the last of several lists take that one again."""
    steps: list[Any] = scenario["sidecar"]
    if not (steps and isinstance(steps[0], list)):
        return steps
    return list(steps[min(start, len(steps)) - 1])


def _count_start() -> int:
    """Return how often there was a start, this one included."""
    if STATE not in os.environ:
        return 1
    with Path(os.environ[STATE]).open("ab") as file:
        file.write(b".")
        return file.tell()


def _note(pid: int) -> None:
    """Tell whoever checks for processes that are left."""
    if PIDS in os.environ:
        with Path(os.environ[PIDS]).open("a", encoding="ascii") as file:
            file.write(f"{pid}\n")


class EndOfInput(Exception):  # noqa: N818 - an event, not an error
    """The host has closed the sidecar's stdin."""


class Input:
    """The host's messages. Nothing is read before it is awaited."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._messages: list[Message] = []
        self._open = True

    def take(self, methods: list[str], about: Message | None = None) -> Message:
        """Return the first message with one of the methods that was not taken, reading until there is one."""
        while True:
            for number, message in enumerate(self._messages):
                if message.get("method") in methods and _is_about(message, about):
                    return self._messages.pop(number)
            self._read()

    def close(self) -> None:
        self._open = False
        os.close(0)

    def _read(self) -> None:
        data = os.read(0, READ_BYTES) if self._open else b""
        if not data:
            raise EndOfInput
        self._pieces.append(data)
        if b"\n" in data:
            *lines, rest = b"".join(self._pieces).split(b"\n")
            self._pieces = [rest]
            self._messages += [json.loads(line) for line in lines if line.strip()]


def _is_about(message: Message, request: Message | None) -> bool:
    """Tell whether a message is there to cancel the request, where there is one; what cannot cancel is about any."""
    if request is None or message["method"] not in CANCELLING:
        return True
    if message["method"] == "chat.cancel":
        return bool(message["params"]["stream_id"] == request["params"].get("stream_id"))
    return bool(message["params"].get("id") == request["id"])


def write(descriptor: int, data: bytes, piece: int | None = None) -> None:
    """Write all of the bytes; in pieces, where a size is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view[:piece]) :]


class Player:
    """Takes the steps of a scenario; a step `{"verb": …}` is the method `do_verb`."""

    def __init__(self) -> None:
        self._input = Input()
        self._bound: dict[str, Message] = {"served": {"messages": []}}
        self._serve: dict[str, Any] = {}

    def play(self, steps: list[Any]) -> None:
        for step in steps:
            getattr(self, f"do_{next(iter(step))}")(**step)

    def end(self) -> NoReturn:
        """Reply to each `shutdown` until the host has no more to say, and exit."""
        try:
            while True:
                self._reply(self._input.take(["shutdown"]), result={})
        except EndOfInput:
            sys.exit(0)

    def do_handshake(self, handshake: bool) -> None:  # noqa: FBT001 - as the step has it
        del handshake
        server = {"name": "llm-sidecar", "version": "0", "pid": os.getpid()}
        result = {"protocol_version": 1, "server_info": server, "capabilities": {}, "limits": {}}
        self.do_await(**{"await": "initialize", "as": "initialize"})
        self.do_reply("initialize", result=result)

    def do_await(self, **step: Any) -> None:
        methods = step["await"] if isinstance(step["await"], list) else [step["await"]]
        about = self._bound[step["about"]] if "about" in step else None
        while (message := self._input.take([*methods, *self._serve], about))["method"] not in methods:
            self._bound["served"]["messages"].append(message)
            self._reply(message, result=self._serve[message["method"]])
        self._bound[step.get("as", "")] = message

    def do_serve(self, serve: list[str], result: Any) -> None:
        self._serve |= dict.fromkeys(serve, result)

    def do_send(self, send: Any, end: str = "\n", piece: int | None = None, ascii: bool = True) -> None:  # noqa: A002, FBT001, FBT002
        text = json.dumps(self._filled(send), ensure_ascii=ascii, separators=(",", ":"))
        write(1, (text + end).encode(), piece)

    def do_send_raw(self, send_raw: str) -> None:
        write(1, send_raw.encode())

    def do_send_base64(self, send_base64: str) -> None:
        write(1, base64.b64decode(send_base64))

    def do_chunks(self, chunks: int, stream: str, text: str, **options: int) -> None:
        stream_id = self._bound[stream]["params"]["stream_id"]
        first = options.get("from", 0)
        for seq in range(first, first + chunks):
            delta = {"type": "text", "index": 0, "text": text}
            params = {"stream_id": stream_id, "seq": seq, "delta": delta}
            self.do_send({"jsonrpc": "2.0", "method": "stream.chunk", "params": params})

    def do_reply(self, reply: str, **answer: Any) -> None:
        self._reply(self._bound[reply], **answer)

    def do_finish(self, finish: str, chunks: int, text: str | None = None, reason: str = "stop") -> None:
        request = self._bound[finish]
        self._reply(request, result=_chat_result(request["params"]["stream_id"], chunks, text, reason))

    def do_stderr(self, stderr: str, repeat: int = 1) -> None:
        write(2, stderr.encode() * repeat)

    def do_idle_ms(self, idle_ms: int) -> None:
        time.sleep(idle_ms / 1000)

    def do_close_stdin(self, close_stdin: bool) -> None:  # noqa: FBT001 - as the step has it
        del close_stdin
        self._input.close()

    def do_close_stdout(self, close_stdout: bool) -> None:  # noqa: FBT001 - as the step has it
        del close_stdout
        os.close(1)

    def do_exit(self, exit: int) -> NoReturn:  # noqa: A002 - as the step has it
        os._exit(exit)

    def do_signal(self, signal: str) -> None:
        os.kill(os.getpid(), _signal(signal))
        self.do_hang(hang=True)

    def do_ignore(self, ignore: str) -> None:
        signal.signal(_signal(ignore), signal.SIG_IGN)

    def do_hang(self, hang: bool) -> NoReturn:  # noqa: FBT001 - as the step has it
        del hang
        while True:
            time.sleep(LIFETIME_S)

    def do_spawn(self, spawn: bool) -> None:  # noqa: FBT001 - as the step has it
        del spawn
        null = subprocess.DEVNULL
        _note(subprocess.Popen([sys.executable, "-c", CHILD], stdin=null, stdout=null, stderr=null).pid)

    def _reply(self, request: Message, **answer: Any) -> None:
        """Answer a request; notifications are not answered."""
        if "id" in request:
            self.do_send({"jsonrpc": "2.0", "id": request["id"], **answer})

    def _filled(self, template: Any) -> Any:
        """Return a message with what is bound put in the place of references to it."""
        match template:
            case dict():
                return {key: self._filled(inner) for key, inner in template.items()}
            case list():
                return [self._filled(inner) for inner in template]
            case str() if reference := REFERENCE.fullmatch(template):
                return self._find(*reference.groups())
        return template

    def _find(self, name: str, path: str) -> Any:
        found: Any = self._bound[name]
        for member in ("params", path) if path == "stream_id" else path.split("."):
            found = found[int(member)] if isinstance(found, list) else found.get(member)
        return found


def _chat_result(stream_id: str, chunks: int, text: str | None, reason: str) -> dict[str, Any]:
    origin = {"provider": "replay", "endpoint": "replay", "model": "replay-1"}
    message = {"role": "assistant", "content": [{"type": "text", "text": text}], "origin": origin}
    return {
        "stream_id": stream_id,
        "chunks": chunks,
        "provider": "replay",
        "model": "replay-1",
        "message": None if text is None else message,
        "finish_reason": {"reason": reason, "raw": None},
        "usage": {},
        "cost": {"amount": None},
        "timing": {"total_ms": 0},
        "attempts": [],
        "warnings": [],
    }


def _signal(name: str) -> signal.Signals:
    return signal.Signals[name]


def main(arguments: list[str]) -> None:
    """Play the scenario that the first argument names, or print it."""
    if arguments[0] == "--plain":
        print(json.dumps(plain(json.loads(Path(arguments[1]).read_bytes())), indent=2))  # noqa: T201 - what it is for
        return
    watchdog = threading.Timer(LIFETIME_S, os._exit, [70])
    watchdog.daemon = True
    watchdog.start()
    _note(os.getpid())
    player = Player()
    try:
        player.play(plain(steps_of_start(json.loads(Path(arguments[0]).read_bytes()), _count_start())))
    except EndOfInput:
        write(2, b"stdin ended before the last step\n")
    except BrokenPipeError:
        sys.exit(3)
    player.end()


if __name__ == "__main__":
    main(sys.argv[1:])
