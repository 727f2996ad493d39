"""Answers read: events of the server in, events of ours out."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from sidecar.dialects import errors, lenient
from sidecar.dialects.contract import Aim, Answer, HttpRequest
from sidecar.dialects.gemini_generate.citations import Claims
from sidecar.dialects.gemini_generate.ending import Ending
from sidecar.dialects.gemini_generate.parts import Parts
from sidecar.dialects.gemini_generate.usage import Meter
from sidecar.dialects.gemini_generate.wire import Candidate, Chunk, ChunkList, RawCandidate, RawChunk
from sidecar.framing.frame import Frame
from sidecar.framing.sse import BOM, DONE
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent, UsageDelta

CHUNK: Final = msgspec.json.Decoder(Chunk)
EMPTY: Final = frozenset({b"", b"null", b"{}"})


class Decoder:
    """Reads one answer, which may come in several requests."""

    __slots__ = (
        "_claims",
        "_ending",
        "_meter",
        "_notes",
        "_parts",
        "cost",
        "finished",
        "settled",
    )

    def __init__(self, aim: Aim) -> None:
        self.finished = False
        self.settled = False
        self.cost: str | None = None
        self._parts = Parts(aim.origin)
        self._meter = Meter()
        self._claims = Claims()
        self._notes: list[Raw] = []
        self._ending = Ending()

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        """Return what a frame adds; an error that it carries is raised after that."""
        data = frame.data
        if self.finished or data[:1] != b"{":
            data = data.strip()
            if self.finished or not data or data.startswith(DONE):
                return []
            if data.startswith(b"["):
                return self._several(data)
        if frame.event == "error":
            raise errors.error_in(data) or SidecarError("server_error")
        try:
            chunk = CHUNK.decode(data)
        except lenient.UNREADABLE:
            return self._read_leniently(data)
        return self._events(chunk, data)

    def close(self) -> Iterable[StreamEvent]:
        """Return the last events, unless the rest of the answer is still to be fetched."""
        if self.finished:
            return []
        if not self.settled:
            raise SidecarError("stream_interrupted", "The answer broke off.")
        return [] if self._ending.continues else self._end()

    def follow_up(self, request: HttpRequest) -> HttpRequest | None:
        """Return the same request with the token that has the answer continued."""
        if self.finished or not self._ending.continues:
            return None
        body = msgspec.json.decode(request.body, type=dict[str, Raw]) | {"continuationToken": self._ending.token}
        self._meter.next_request()
        self._ending, self.settled = Ending(), False
        return replace(request, body=msgspec.json.encode(body))

    def answer(self, body: bytes) -> list[StreamEvent]:
        """Return all events of a whole answer."""
        body = body.removeprefix(BOM).strip()
        if not body.startswith((b"{", b"[")):
            raise SidecarError("malformed_response", "The provider's answer is not JSON.")
        events = [*self.feed(Frame(body))]
        if not self.settled and all(isinstance(event, UsageDelta) for event in events):
            raise SidecarError("malformed_response", "The provider's answer holds no message.")
        return [*events, *self._end()]

    def _read_leniently(self, data: bytes) -> Iterable[StreamEvent]:
        try:
            chunk = lenient.read(data, Chunk)
        except SidecarError as error:
            # The connection was cut in a frame that follows the answer.
            if self.settled and error.type == "stream_interrupted":
                return []
            raise
        return self._events(chunk, data)

    def _several(self, data: bytes) -> list[StreamEvent]:
        """Return what an array adds: an error, or all events at once."""
        error = errors.error_in(data)
        if error is not None:
            raise error
        if not data.endswith(b"]"):
            raise SidecarError("stream_interrupted", "The answer broke off.")
        events: list[StreamEvent] = []
        for chunk in lenient.read(b'{"chunks":' + data + b"}", ChunkList).chunks or ():
            if bytes(memoryview(chunk)[:1]) == b"{":
                events += self.feed(Frame(bytes(chunk)))
        return events

    def _events(self, chunk: Chunk, data: bytes) -> Iterable[StreamEvent]:
        events: list[StreamEvent] = []
        parts = self._parts
        if not parts.response_id:
            parts.name(chunk.response_id, data)
        for candidate in chunk.candidates or ():
            if not candidate.index:
                self._add(candidate, data, events)
                break
        if chunk.prompt_feedback is not None and self._ending.refused(chunk.prompt_feedback):
            self.settled = True
        if chunk.usage_metadata is not None:
            usage = self._meter.count(chunk.usage_metadata)
            if usage is not None:
                events.append(usage)
        if chunk.error or not (events or self.settled or chunk.candidates):
            error = errors.error_in(data)
            if error is not None:
                return _failing(events, error)
        return events

    def _add(self, candidate: Candidate, data: bytes, events: list[StreamEvent]) -> None:
        content = candidate.content
        if content is not None and content.parts:
            for place, part in enumerate(content.parts):
                if not self._parts.add(part, events):
                    self._keep(data, place, events)
        if (candidate.finish_reason or candidate.continuation_token) and self._ending.told(candidate):
            self.settled = True
        if candidate.grounding_metadata is not None:
            self._claims.groundings.append(candidate.grounding_metadata)
        if candidate.citation_metadata is not None:
            self._claims.quotations.append(candidate.citation_metadata)
        if candidate.grounding_metadata is not None or candidate.url_context_metadata:
            self._note(_raw(data))

    def _keep(self, data: bytes, place: int, events: list[StreamEvent]) -> None:
        content = _raw(data).content
        # What is no object was left out when the parts were read.
        parts = [part for part in (content and content.parts) or () if bytes(memoryview(part)[:1]) == b"{"]
        if place < len(parts) and bytes(parts[place]) not in EMPTY:
            self._parts.keep(parts[place], events)

    def _note(self, candidate: RawCandidate) -> None:
        """Keep what there is to know of sources beyond citations, such as what must be shown beside them."""
        named = {
            "groundingMetadata": candidate.grounding_metadata,
            "urlContextMetadata": candidate.url_context_metadata,
        }
        for name, data in named.items():
            if bytes(data) not in EMPTY:
                self._notes.append(Raw(msgspec.json.encode({name: data})))

    def _end(self) -> list[StreamEvent]:
        self.finished = self.settled = True
        events: list[StreamEvent] = []
        parts = self._parts
        parts.shut(events)
        parts.cite(self._claims.cite([strand.text for strand in parts.texts]), events)
        for note in dict.fromkeys(map(bytes, self._notes)):
            parts.keep(Raw(note), events)
        return [*events, *self._ending.events(called=parts.called)]


def _failing(events: list[StreamEvent], error: SidecarError) -> Iterator[StreamEvent]:
    yield from events
    raise error


def _raw(data: bytes) -> RawCandidate:
    """Return the first answer in `data`, as it came."""
    candidates = lenient.read(data, RawChunk).candidates or ()
    return next((candidate for candidate in candidates if not candidate.index), RawCandidate())


def decode_answer(body: bytes, aim: Aim) -> Answer:
    """Return the events of a whole answer."""
    return Answer(tuple(Decoder(aim).answer(body)))
