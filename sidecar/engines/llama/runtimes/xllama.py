"""llama.cpp's own server engine, in process. https://github.com/xorbitsai/xllamacpp"""

import importlib
import threading
from functools import partial
from typing import Any, Final

from msgspec.json import Encoder

from sidecar.engines.llama.protocol import Chat, Count, Counted, Done, Embed, Load, Pooling, RuntimeName
from sidecar.engines.llama.runtimes import (
    BATCH,
    POOLINGS,
    Answer,
    context_exceeded,
    normalised,
    outcome,
    whole_batch,
)
from sidecar.engines.llama.runtimes.places import Places
from sidecar.engines.llama.runtimes.readers import Reader, Readers
from sidecar.engines.llama.runtimes.xllama_door import Door
from sidecar.engines.llama.runtimes.xllama_stream import (
    Stream,
    Vectors,
    chat_body,
    conversation_body,
    decode_size,
    decode_vectors,
    failure,
    no_vector,
    refusal,
)
from sidecar.schema.errors import SidecarError

ERRORS_ONLY: Final = 1
GPU_BATCH: Final = 512
PROMPT_CACHE_MIB: Final = 256
"""What the server may keep of conversations that have no place in the context any more."""

COUNT: Final = "/v1/chat/completions/input_tokens"

_encode: Final = Encoder().encode


class Xllamacpp:
    """The installed package."""

    name: RuntimeName = "xllamacpp"

    def __init__(self) -> None:
        self._native: Any = importlib.import_module("xllamacpp")

    def load(self, request: Load) -> "Model":
        """Load a model; what llama.cpp says of a failure is on stderr."""
        door = Door()
        parameters = self._parameters(request)
        door.fit(parameters)
        try:
            server = self._native.Server(parameters)
        except (RuntimeError, ValueError) as error:
            door.remove()
            raise SidecarError("model_file_invalid", "The model could not be loaded.") from error
        door.close(server.listening_address)
        return Model(server, door, Places(request.context_size, parameters.n_parallel))

    def _parameters(self, request: Load) -> Any:
        parameters = self._native.CommonParams()
        parameters.model.path = request.path
        parameters.n_ctx = request.context_size
        parameters.n_parallel = 1 if request.pooling else max(1, request.parallel)
        parameters.kv_unified = True
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = request.threads
        parameters.verbosity = ERRORS_ONLY
        parameters.cache_ram_mib = PROMPT_CACHE_MIB
        # Conversations stay in the context until others need the room: copying them out takes time and memory.
        parameters.cache_idle_slots = False
        self._place(parameters, request.gpu_layers)
        if request.pooling is not None:
            self._pool(parameters, request.pooling)
            parameters.n_batch = parameters.n_ubatch = whole_batch(request) or parameters.n_batch
        return parameters

    def _pool(self, parameters: Any, pooling: Pooling) -> None:
        parameters.embedding = True
        parameters.pooling_type = self._native.llama_pooling_type(POOLINGS[pooling])

    def _place(self, parameters: Any, gpu_layers: int | None) -> None:
        """Fitting the model to a GPU reads it twice, so it is done only where there is one and nobody chose."""
        cpu = self._native.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
        has_gpu = any(device["type"] != cpu for device in self._native.get_device_info())
        parameters.n_batch = parameters.n_ubatch = GPU_BATCH if has_gpu else BATCH
        parameters.fit_params = has_gpu and gpu_layers is None
        if gpu_layers is not None:
            parameters.n_gpu_layers = gpu_layers


class Model:
    """A loaded model; each command has a thread of its own, which mostly waits for the server's."""

    name: RuntimeName = "xllamacpp"

    def __init__(self, server: Any, door: Door, places: Places) -> None:
        self._server = server
        self._door = door
        self._places = places
        self._readers = Readers()
        self.context_size = places.context_size
        self.parallel = places.parallel

    def start(self, command: Chat | Embed | Count, answer: Answer) -> None:
        """Begin a command."""
        threading.Thread(target=self._run, args=(command, answer), daemon=True).start()

    def _run(self, command: Chat | Embed | Count, answer: Answer) -> None:
        answer.end(outcome(command.id, partial(self._carry_out, command, answer)))

    def _carry_out(self, command: Chat | Embed | Count, answer: Answer) -> Done | Counted:
        match command:
            case Chat():
                return self._chat(command, answer)
            case Embed():
                return self._embed(command, answer)
            case Count():
                return Counted(command.id, self._size(command))

    def _size(self, command: Chat | Count) -> int:
        size = decode_size(self._door.post(COUNT, _encode(conversation_body(command))))
        if size.error is not None:
            raise failure(size.error)
        return size.input_tokens

    def _chat(self, chat: Chat, answer: Answer) -> Done:
        """Answer a chat as soon as there is room for it beside the others."""
        prompt = self._size(chat)
        if prompt >= self.context_size:
            raise context_exceeded(prompt, self.context_size)
        room = self._places.answer if chat.max_tokens is None else min(chat.max_tokens, self._places.answer)
        held = self._places.take(prompt + room, lambda: answer.cancelled)
        if held is None:
            return Done(chat.id, "cancelled", prompt)
        reader = self._readers.join(prompt)
        stream, body = Stream(answer, prompt, held, reader), _encode(chat_body(chat)).decode()
        with held:
            while reader.begin(lambda: answer.cancelled):
                self._ask(body, stream, reader)
                if not stream.paused:
                    break
                stream.resume()
        return stream.done(chat.id)

    def _ask(self, body: str, stream: Stream, reader: Reader) -> None:
        try:
            self._server.handle_chat_completions(body, stream.take)
        except (RuntimeError, ValueError) as error:
            raise refusal(str(error)) from None
        finally:
            reader.end()

    def _embed(self, command: Embed, answer: Answer) -> Done:
        """Make vectors one by one: between two of them is the only place to stop."""
        tokens = 0
        for text in command.texts:
            if answer.cancelled:
                return Done(command.id, "cancelled", tokens)
            reply = self._vector(text)
            tokens += reply.usage.prompt_tokens
            answer.give(normalised(reply.data[0].embedding if reply.data else []))
        return Done(command.id, "stop", tokens)

    def _vector(self, text: str) -> Vectors:
        try:
            reply = decode_vectors(self._server.handle_embeddings(_encode({"input": [text]}).decode()))
        except (RuntimeError, ValueError) as error:
            raise refusal(str(error)) from None
        if reply.error is not None:
            raise no_vector(reply.error, self.context_size)
        return reply
