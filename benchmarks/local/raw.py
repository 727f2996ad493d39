"""A runtime used directly: `raw.py RUNTIME MODEL THREADS` reads questions, a line each, and writes when answers came."""

import ctypes
import json
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from subjects import CONTEXT, PARALLEL, Answer, take_chunk

BATCH = 512


class Xllamacpp:
    """xllamacpp's server, with its defaults."""

    def __init__(self, path: str, threads: int) -> None:
        """Load the model."""
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path, parameters.n_ctx = path, CONTEXT
        parameters.n_parallel, parameters.kv_unified = PARALLEL, True
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        self.server = xllamacpp.Server(parameters)

    def ask(self, conversations: list[list[dict[str, str]]], tokens: int) -> list[Answer]:
        """Ask all at once."""
        answers = [Answer() for _ in conversations]
        asking = [
            threading.Thread(target=self.one, args=(conversation, tokens, answer))
            for conversation, answer in zip(conversations, answers, strict=True)
        ]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        return answers

    def one(self, conversation: list[dict[str, str]], tokens: int, answer: Answer) -> None:
        """Follow one stream."""
        question = {"messages": conversation, "max_tokens": tokens, "temperature": 0, "stream": True}
        started = time.perf_counter()

        def take(chunk: str) -> bool:
            take_chunk(answer, json.loads(chunk), time.perf_counter() - started)
            return False

        self.server.handle_chat_completions(json.dumps(question), take)


class LlamaCpp:
    """llama-cpp-python's bindings in the tightest loop that Python allows: one conversation at a time, greedy."""

    def __init__(self, path: str, threads: int) -> None:
        """Load the model."""
        import llama_cpp

        self.native = native = llama_cpp
        self.silence = native.llama_log_callback(lambda *_: None)
        native.llama_log_set(self.silence, ctypes.c_void_p(0))
        self.model = native.llama_model_load_from_file(path.encode(), native.llama_model_default_params())
        self.vocab = native.llama_model_get_vocab(self.model)
        parameters = native.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = CONTEXT, BATCH, BATCH
        parameters.n_threads = parameters.n_threads_batch = threads
        self.context = native.llama_init_from_model(self.model, parameters)
        self.sampler = native.llama_sampler_init_greedy()
        self.evaluated: list[int] = []

    def ask(self, conversations: list[list[dict[str, str]]], tokens: int) -> list[Answer]:
        """Ask one after the other."""
        started = time.perf_counter()
        return [self.one(conversation, tokens, started) for conversation in conversations]

    def one(self, conversation: list[dict[str, str]], tokens: int, started: float) -> Answer:
        """Follow one answer."""
        native, prompt = self.native, self.tokens(conversation)
        answer = Answer(prompt=len(prompt), cached=self.keep(prompt))
        self.evaluate(prompt[answer.cached :])
        piece = ctypes.create_string_buffer(64)
        while not answer.end:
            token = native.llama_sampler_sample(self.sampler, self.context, -1)
            answer.tokens += 1
            native.llama_token_to_piece(self.vocab, token, piece, 64, 0, False)
            now = time.perf_counter() - started
            answer.first = answer.first or now
            if answer.tokens == tokens or native.llama_vocab_is_eog(self.vocab, token):
                answer.end = now
            else:
                self.evaluate([token])
        return answer

    def keep(self, prompt: list[int]) -> int:
        """Forget all but what the prompt begins with; return how many tokens that are."""
        pairs = zip(prompt[:-1], self.evaluated, strict=False)
        same = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
        same = min(len(prompt) - 1, len(self.evaluated)) if same is None else same
        self.native.llama_memory_seq_rm(self.native.llama_get_memory(self.context), 0, same, -1)
        del self.evaluated[same:]
        return same

    def evaluate(self, tokens: list[int]) -> None:
        """Evaluate more tokens."""
        for start in range(0, len(tokens), BATCH):
            piece = tokens[start : start + BATCH]
            held = (self.native.llama_token * len(piece))(*piece)  # the batch only points to it
            batch = self.native.llama_batch_get_one(held, len(piece))
            if code := self.native.llama_decode(self.context, batch):
                raise RuntimeError(f"llama_decode returned {code}")
        self.evaluated += tokens

    def tokens(self, conversation: list[dict[str, str]]) -> list[int]:
        """Write a conversation as this model's template does."""
        turns = [f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in conversation]
        text = ("".join(turns) + "<|im_start|>assistant\n").encode()
        found = (self.native.llama_token * len(text))()
        return found[: self.native.llama_tokenize(self.vocab, text, len(text), found, len(text), False, True)]


RUNTIMES = {"xllamacpp": Xllamacpp, "llama-cpp-python": LlamaCpp}


def main() -> None:
    """Answer until there are no more questions."""
    _, name, path, threads = sys.argv
    runtime = RUNTIMES[name](path, int(threads))
    for line in sys.stdin:
        answers = runtime.ask(**json.loads(line))
        print(json.dumps([asdict(answer) for answer in answers]), flush=True)


if __name__ == "__main__":
    main()
