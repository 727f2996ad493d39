from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from recorded import disorders
from responses_dialect import AIM

from sidecar.dialects.contract import HttpResponse
from sidecar.dialects.openai_responses import DIALECT
from sidecar.dialects.openai_responses.decode import HANDLERS, PIECES, TERMINAL
from sidecar.framing.frame import Frame
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
DATA = JSON.map(msgspec.json.encode) | st.binary()


def some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects that have some of these members, now and then with a strange value."""
    return st.fixed_dictionaries({}, optional={name: usual | JSON for name, usual in members.items()})


CONTENT = st.lists(
    some(
        type=st.sampled_from(["output_text", "refusal", "summary_text"]),
        text=st.text(),
        refusal=st.text(),
        annotations=st.lists(some(type=st.just("url_citation"), url=st.text(), start_index=st.integers())),
    ),
    max_size=3,
)
ITEM = some(
    type=st.sampled_from([*PIECES, "web_search_call"]),
    id=st.text(),
    call_id=st.sampled_from(["a", "b"]),
    name=st.sampled_from(["f", "parallel"]),
    arguments=st.sampled_from(["", " ", '{"a":1}', '{"tool_uses":[{"recipient_name":"f","parameters":1}]}']),
    input=st.text(),
    content=CONTENT,
    summary=CONTENT,
    encrypted_content=st.text(),
    phase=st.text(),
)
RESPONSE = some(
    status=st.sampled_from([*TERMINAL.values(), "in_progress"]),
    output=st.lists(ITEM, max_size=3),
    usage=some(input_tokens=st.integers(), output_tokens=st.floats(0, 1e9), cost_in_usd_ticks=st.integers()),
    error=some(code=st.text(), message=st.text()),
    incomplete_details=some(reason=st.text()),
    tools=st.lists(some(name=st.text())),
)
EVENT = some(
    type=st.sampled_from([*HANDLERS, *TERMINAL, "error", "response.unheard_of"]),
    output_index=st.integers(0, 2),
    content_index=st.integers(0, 1),
    summary_index=st.integers(0, 1),
    delta=st.text(),
    item=ITEM,
    response=RESPONSE,
    annotation=some(type=st.just("url_citation"), url=st.text()),
    error=some(code=st.text(), message=st.text()),
)


def play(frames: list[Frame]) -> list[StreamEvent]:
    decoder = DIALECT.decode_stream(AIM)
    events: list[StreamEvent] = []
    with suppress(SidecarError):
        for frame in frames:
            events += decoder.feed(frame)
        events += decoder.close()
    return events


@given(st.lists(EVENT, max_size=8))
def test_events_of_any_kind_in_any_order_give_an_orderly_answer_or_an_error(events: list[dict[str, Any]]) -> None:
    found = play([Frame(msgspec.json.encode(event)) for event in events])
    assert [words for words in disorders(found) if "announced" not in words] == []


@given(
    st.lists(
        st.tuples(JSON.map(msgspec.json.encode) | st.binary(), st.none() | st.sampled_from([*HANDLERS, *TERMINAL]))
    )
)
def test_frames_of_any_content_raise_nothing_but_our_errors(frames: list[tuple[bytes, str | None]]) -> None:
    play([Frame(data, name) for data, name in frames])


@given(RESPONSE.map(msgspec.json.encode) | DATA)
def test_bodies_of_any_content_raise_nothing_but_our_errors(body: bytes) -> None:
    with suppress(SidecarError):
        assert disorders(list(DIALECT.decode_answer(body, AIM).events)) is not None
    with suppress(SidecarError):
        DIALECT.decode_count(body)
    assert isinstance(DIALECT.decode_error(HttpResponse(400, {}, body)), SidecarError)
