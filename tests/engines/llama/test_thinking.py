import pytest
from local_models import target_for

from sidecar.engines.llama.chat_template import PLAIN, ChatTemplate
from sidecar.engines.llama.request import encode
from sidecar.schema.chat import ChatRequest, FunctionTool, JsonFormat, Message, ReasoningOptions
from sidecar.schema.errors import SidecarError

TARGET = target_for("/models/tiny.gguf")
SWITCHED = ChatTemplate(thinks=True, switch="enable_thinking")
STUBBORN = ChatTemplate(thinks=True)
OFF = {"enable_thinking": False}


@pytest.mark.parametrize(
    ("wish", "known", "options", "left_out"),
    [
        (None, SWITCHED, {}, []),
        (ReasoningOptions(), SWITCHED, {}, []),
        (ReasoningOptions("none"), SWITCHED, OFF, []),
        (ReasoningOptions(budget_tokens=0), SWITCHED, OFF, []),
        (ReasoningOptions("high"), SWITCHED, {"enable_thinking": True}, ["reasoning.effort"]),
        (ReasoningOptions(budget_tokens=9), SWITCHED, {"enable_thinking": True}, ["reasoning.budget_tokens"]),
        (ReasoningOptions("none"), STUBBORN, {}, ["reasoning"]),
        (ReasoningOptions("none"), PLAIN, {}, []),
        (ReasoningOptions("high"), PLAIN, {}, ["reasoning"]),
    ],
)
def test_a_wish_is_fulfilled_or_told_to_be_not(
    wish: ReasoningOptions | None, known: ChatTemplate, options: dict[str, bool], left_out: list[str]
) -> None:
    request = ChatRequest(messages=[Message("user", "hi")], reasoning=wish)
    asked = encode(request, TARGET, known)
    assert asked.chat.template_options == options
    assert [warning.param for warning in asked.warnings] == left_out


def test_an_answer_that_is_held_to_a_form_is_given_without_thoughts() -> None:
    hi = [Message("user", "hi")]
    for request in (
        ChatRequest(messages=hi, response_format=JsonFormat()),
        ChatRequest(messages=hi, tools=[FunctionTool("clock")]),
    ):
        assert encode(request, TARGET, SWITCHED).chat.template_options == OFF


def test_a_wish_that_must_be_fulfilled_is_refused_before_anything_is_loaded() -> None:
    request = ChatRequest(messages=[Message("user", "hi")], reasoning=ReasoningOptions("high"), on_unsupported="error")
    with pytest.raises(SidecarError) as raised:
        encode(request, TARGET)
    assert (raised.value.type, raised.value.details["param"]) == ("unsupported_feature", "reasoning")
