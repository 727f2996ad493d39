"""Conversations put in the order that every provider demands: each tool call is answered, at once and only once."""

from binascii import crc32
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from sidecar.dialects.report import Report
from sidecar.schema.chat import Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from sidecar.schema.errors import SidecarError

MAX_ID_CHARS: Final = 40
"""How long the id of a tool call may be everywhere."""

NOT_RUN: Final = "The tool was not run."
CONTINUE: Final = "Continue."

Content = list[Part]


def answered(messages: Iterable[Message], report: Report) -> list[Message]:
    """Return the conversation with the results of tools right behind the turn that called them, in a `tool` message.

    A call without a result gets one that says so, and a result without a call becomes words of the user. Ids that occur
    twice are told apart, long ones shortened. Messages that say nothing are left out. Contents are lists of parts.
    """
    ordering = _Ordering(report)
    for message in messages:
        ordering.add(message)
    return ordering.finish()


class _Ordering:
    """One conversation on its way."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._done: list[Message] = []
        self._calls: dict[str, list[str]] = {}
        self._wanted: list[str] = []
        self._results: dict[str, ToolResult] = {}
        self._later: list[Message] = []
        self._taken: set[str] = set()

    def add(self, message: Message) -> None:
        parts: Content = [Text(message.content)] if isinstance(message.content, str) else message.content
        if message.role == "assistant":
            if any(isinstance(part, ToolResult) for part in parts):
                raise SidecarError("unsupported_feature", "A message of role `assistant` holds no `tool_result`.")
            self._flush()
            self._assistant(replace(message, content=parts))
            return
        if message.role == "tool" and not all(isinstance(part, ToolResult) for part in parts):
            raise SidecarError("invalid_params", "A message of role `tool` holds parts of type `tool_result` only.")
        rest = [part for part in parts if not _is_empty(part) and not self._takes(part)]
        if rest:
            role = "user" if message.role == "tool" else message.role
            words = [self._orphan(part) if isinstance(part, ToolResult) else part for part in rest]
            self._later.append(replace(message, role=role, content=words))

    def finish(self) -> list[Message]:
        self._flush()
        return self._done

    def _assistant(self, message: Message) -> None:
        names: dict[str, list[str]] = {}
        parts = [self._named(part, names) for part in message.content if not _is_empty(part)]
        self._calls, self._wanted = names, [part.id for part in parts if isinstance(part, ToolCall)]
        if parts:
            self._done.append(replace(message, content=parts))

    def _named(self, part: Part | str, names: dict[str, list[str]]) -> Part:
        """Return a call under an id that no other has; `names` takes in what became of its own."""
        assert not isinstance(part, str)
        if not isinstance(part, ToolCall):
            return part
        new, number = _short(part.id), 2
        while new in self._taken or not new:
            new, number = f"{part.id[: MAX_ID_CHARS // 2] or 'call'}_{number}", number + 1
        self._taken.add(new)
        names.setdefault(part.id, []).append(new)
        return part if new == part.id else replace(part, id=new)

    def _takes(self, part: Part) -> bool:
        """Take in the first result of an open call."""
        if not isinstance(part, ToolResult):
            return False
        open_calls = (new for new in self._calls.get(part.tool_call_id, ()) if new not in self._results)
        new = next(open_calls, None)
        if new is None:
            return False
        self._results[new] = replace(part, tool_call_id=new)
        return True

    def _orphan(self, result: ToolResult) -> Text:
        self._report.history("The result of a tool call that is not in the conversation was sent as words of the user.")
        texts = result.content if isinstance(result.content, str) else "\n".join(_words(result.content))
        return Text(f"Result of an earlier tool call: {texts}")

    def _flush(self) -> None:
        """Answer the open calls, then let what came meanwhile follow."""
        if self._calls:
            missing = [id_ for id_ in self._wanted if id_ not in self._results]
            if missing:
                self._report.history("A tool call of the conversation has no result; the model was told so.")
            unanswered = {id_: ToolResult(id_, NOT_RUN, is_error=True) for id_ in missing}
            found = self._results | unanswered
            self._done.append(Message("tool", [found[id_] for id_ in self._wanted]))
        self._done += self._later
        self._calls, self._results, self._later = {}, {}, []


def _short(call_id: str) -> str:
    """Return `call_id` if it will do, or else an id that is always the same for it."""
    if len(call_id) <= MAX_ID_CHARS:
        return call_id
    data = call_id.encode(errors="surrogatepass")
    return f"call_{crc32(data):08x}{crc32(data[::-1]):08x}"


def _is_empty(part: Part | str) -> bool:
    return isinstance(part, Text | Refusal | Reasoning) and not part.text and part.opaque is None


def _words(parts: Iterable[Part]) -> Iterator[str]:
    return (part.text if isinstance(part, Text) else "(a file)" for part in parts)


class Turn(Struct):
    """What one side says until the other side speaks. Results of tools come first in a turn of the user."""

    role: Literal["user", "assistant"]
    parts: Content = field(default_factory=list[Part])


class Script(Struct):
    """A conversation for formats with two speakers: `instructions` stand apart, the turns alternate."""

    instructions: list[Text]
    turns: list[Turn]


def script(messages: Iterable[Message], report: Report) -> Script:
    """Return the conversation as turns, the user's first; instructions behind its beginning become the user's words."""
    instructions: list[Text] = []
    turns: list[Turn] = []
    for message in answered(messages, report):
        assert not isinstance(message.content, str)
        if message.role in ("system", "developer"):
            words = [_instruction(part, message.role) for part in message.content]
            if not turns:
                instructions += words
                continue
            report.history("Instructions in mid-conversation were sent as words of the user.")
        role: Literal["user", "assistant"] = "assistant" if message.role == "assistant" else "user"
        if not turns or turns[-1].role != role:
            turns += [Turn("user", [Text(CONTINUE)])] if role == "assistant" and not turns else []
            turns.append(Turn(role))
        turns[-1].parts += message.content
    return Script(instructions, turns or [Turn("user", [Text(CONTINUE)])])


def _instruction(part: Part | str, role: str) -> Text:
    if not isinstance(part, Text):
        raise SidecarError("unsupported_feature", f"A message of role `{role}` holds text only.")
    return part
