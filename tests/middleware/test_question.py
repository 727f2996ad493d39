from hypothesis import given
from hypothesis import strategies as st

from sidecar.middleware.question import tokens_of
from sidecar.schema.chat import ChatRequest, Message


@given(st.lists(st.text(max_size=200), max_size=5))
def test_an_estimate_grows_with_the_words(texts: list[str]) -> None:
    found = tokens_of(ChatRequest(messages=[Message("user", text) for text in texts]))
    assert found == -(-len("".join(texts).encode()) // 4)
