"""A worker whose model does what it is told: the file's name says how it loads, the question what it answers."""

import os
import signal
import sys
import threading
from pathlib import Path

from msgspec.json import encode

from sidecar.engines.llama import worker
from sidecar.engines.llama.protocol import Chat, Count, Counted, Done, Embed, Load, RuntimeName
from sidecar.engines.llama.runtimes import Answer, outcome
from sidecar.schema.errors import SidecarError

POLL_S = 0.002


class Model:
    name: RuntimeName = "xllamacpp"

    def __init__(self, context_size: int, parallel: int) -> None:
        self.context_size = context_size
        self.parallel = parallel
        self._served = 0

    def start(self, command: Chat | Embed | Count, answer: Answer) -> None:
        """Carry a command out, in a thread where several go at once."""
        work = {Chat: self.submit, Embed: self.embed, Count: self.count}[type(command)]

        def carry_out() -> None:
            answer.end(outcome(command.id, lambda: work(command, answer)))  # type: ignore[operator]

        if self.parallel == 1:
            carry_out()
        else:
            threading.Thread(target=carry_out, daemon=True).start()

    def count(self, command: Count, _answer: Answer) -> Counted:
        return Counted(command.id, sum(len(turn.content.split()) for turn in command.messages))

    def submit(self, chat: Chat, answer: Answer) -> Done:
        self._served += 1
        order, _, rest = chat.messages[-1].content.partition(" ")
        if order == "options":
            answer.add("text", encode(chat.template_options).decode())
        else:
            getattr(self, f"do_{order}")(rest, answer)
        return Done(chat.id, "cancelled" if answer.cancelled else "stop", 5, 2, 1, 30, 40)

    def embed(self, command: Embed, answer: Answer) -> Done:
        self._served += 1
        for text in command.texts:
            order, _, rest = text.partition(" ")
            getattr(self, f"on_{order}", self.on_words)(rest, answer)
            if answer.cancelled:
                return Done(command.id, "cancelled", 0)
            answer.give([float(len(text)), float(self._served), float(self.context_size)])
        return Done(command.id, "stop", 3 * len(command.texts))

    def on_words(self, _rest: str, _answer: Answer) -> None:
        """Go on to the vector."""

    def on_hang(self, rest: str, answer: Answer) -> None:
        """Say so through a named pipe, then go on until cancelled."""
        Path(rest).write_text("begun")
        while not answer.cancelled:
            threading.Event().wait(POLL_S)

    def on_slow(self, rest: str, answer: Answer) -> None:
        """Do the same, and when cancelled wait for a file, like a long text."""
        self.on_hang(rest, answer)
        while not Path(rest).with_suffix(".go").exists():
            threading.Event().wait(POLL_S)

    def on_die(self, rest: str, _answer: Answer) -> None:
        os.kill(os.getpid(), signal.Signals[rest])
        threading.Event().wait()

    def on_fail(self, rest: str, _answer: Answer) -> None:
        raise SidecarError("context_length_exceeded", rest)

    def do_say(self, rest: str, answer: Answer) -> None:
        for word in rest.split():
            answer.add("text", word)

    def do_spell(self, rest: str, answer: Answer) -> None:
        for letter in rest:
            answer.add("text", letter)

    def do_refuse(self, rest: str, _answer: Answer) -> None:
        raise SidecarError("unsupported_feature", rest, param="response_format")

    def do_think(self, rest: str, answer: Answer) -> None:
        answer.add("reasoning", rest)
        answer.add("text", "so")

    def do_pid(self, _rest: str, answer: Answer) -> None:
        answer.add("text", str(os.getpid()))

    def do_count(self, _rest: str, answer: Answer) -> None:
        answer.add("text", str(self._served))

    def do_context(self, _rest: str, answer: Answer) -> None:
        answer.add("text", str(self.context_size))

    def do_hang(self, rest: str, answer: Answer) -> None:
        """Answer, then go on until cancelled."""
        answer.add("text", rest or "…")
        while not answer.cancelled:
            threading.Event().wait(POLL_S)

    def do_slow(self, rest: str, answer: Answer) -> None:
        """Answer, and when cancelled wait for a file before stopping, like a long batch."""
        answer.add("text", "…")
        while not (answer.cancelled and Path(rest).exists()):
            threading.Event().wait(POLL_S)

    def do_print(self, rest: str, answer: Answer) -> None:
        print(rest, flush=True)  # noqa: T201 - must not reach the protocol
        answer.add("text", "printed")

    def do_die(self, rest: str, answer: Answer) -> None:
        answer.add("text", "last words")
        os.kill(os.getpid(), signal.Signals[rest])
        threading.Event().wait()

    def do_exit(self, rest: str, _answer: Answer) -> None:
        os.write(2, b"GGML_ASSERT(n > 0) failed\n")
        os._exit(int(rest))

    def do_raise(self, rest: str, _answer: Answer) -> None:
        raise LookupError(rest)

    def do_fail(self, rest: str, _answer: Answer) -> None:
        raise SidecarError("context_length_exceeded", rest)


class Loader:
    name: RuntimeName = "xllamacpp"

    def load(self, request: Load) -> Model:
        how = Path(request.path).stem.partition("-")[0]
        getattr(self, f"load_{how}", lambda _path: None)(request.path)
        return Model(request.context_size, request.parallel)

    def load_hangs(self, _path: str) -> None:
        threading.Event().wait()

    def load_waits(self, path: str) -> None:
        while not Path(path).with_suffix(".go").exists():
            threading.Event().wait(POLL_S)

    def load_dies(self, _path: str) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def load_refuses(self, _path: str) -> None:
        os.write(2, b"llama_model_load: error loading model: unknown model architecture: 'blama'\n")
        raise SidecarError("model_file_invalid", "The model could not be loaded.")

    def load_chokes(self, _path: str) -> None:
        raise SidecarError("model_file_invalid", "The model could not be loaded.") from RuntimeError(
            "can't start new thread"
        )

    def load_swells(self, _path: str) -> None:
        os.write(2, b"ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 115\n")
        raise SidecarError("model_file_invalid", "The model could not be loaded.")


if __name__ == "__main__":
    if "--fail" in sys.argv:
        sys.exit(3)
    worker.main(sys.argv[1:], lambda _name: Loader())
