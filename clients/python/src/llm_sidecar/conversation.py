"""A chat with many turns: each question is asked with all that was said before."""

from collections.abc import Sequence
from typing import Final, cast

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from llm_sidecar.calls import Caller
from llm_sidecar.encoding import decode, encode
from llm_sidecar.protocol import Message, Part, StreamRequest, ToolResult
from llm_sidecar.streams import Stream

NULL: Final = b"null"


class _Answer(Struct, frozen=True):
    message: Raw | UnsetType = UNSET


class Conversation:
    """Keeps the messages of a chat as they came, whatever is in them. One turn at a time.

    `request` has the first messages, such as the instructions, and what holds for every turn: model, tools, and so on.
    """

    def __init__(self, sidecar: Caller, request: StreamRequest | None = None) -> None:
        self._sidecar = sidecar
        self._request = request or StreamRequest(messages=[])
        self._messages = [Raw(encode(message)) for message in self._request.messages]

    @property
    def messages(self) -> list[Message]:
        """The messages so far."""
        return [decode(message, Message) for message in self._messages]

    @property
    def json(self) -> bytes:
        """The messages as a JSON array, every part as it came: to be saved, and given to `restore`."""
        return encode(self._messages)

    def restore(self, json: bytes) -> None:
        """Go on from messages that were saved."""
        decode(json, list[Message])
        self._messages = decode(json, list[Raw])

    def send(self, content: str | Sequence[Part]) -> Stream:
        """Ask. The question and its answer are kept when there is an answer, complete or cancelled."""
        return self._ask(Message(role="user", content=content if isinstance(content, str) else list(content)))

    def answer(self, results: Sequence[ToolResult]) -> Stream:
        """Ask on, with the results of the tool calls in the last message."""
        return self._ask(Message(role="tool", content=list(results)))

    def _ask(self, question: Message) -> Stream:
        written = Raw(encode(question))
        messages = cast("list[Message]", [*self._messages, written])
        stream = self._sidecar.stream(
            replace(self._request, messages=messages, stream_id=None, include_message=True),
        )
        stream.on_result = lambda result: self._keep(written, result)
        return stream

    def _keep(self, question: Raw, result: Raw) -> None:
        message = decode(result, _Answer).message
        if message is not UNSET and bytes(message) != NULL:
            self._messages += [question, message.copy()]
