"""What makes two questions the same, and what does not."""

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from calls import call_for
from msgspec import Struct, inspect
from msgspec.structs import replace

from sidecar.handler import Target
from sidecar.middleware.cache_key import IGNORED, content, digest, form
from sidecar.providers import PROVIDERS
from sidecar.schema.chat import Base64Source, ChatRequest, File, Message, StreamRequest
from sidecar.schema.providers import BaseConfig
from sidecar.schema.secret import Secret, decode_hook

TARGET = call_for().target
QUESTION = ChatRequest(messages=[Message("user", "hi")])


def key(request: ChatRequest = QUESTION, target: Target = TARGET) -> bytes:
    return digest(content(request, target), target)


Variation = tuple[str, Any, Any]
"""The name of a member, and two values that differ in it alone."""


def variations(kind: inspect.Type, name: str) -> Iterator[Variation]:
    """Yield pairs of JSON values of a type, so that each pair differs at another place, and each place is one's."""
    match kind:
        case inspect.StructType():
            yield from struct_variations(kind, name)
        case inspect.UnionType(types=types):
            firsts = [(option, *example(option)) for option in types]
            yield from ((f"{name}|", a[1], b[1]) for a, b in pairwise(firsts))
            for option in types:
                yield from variations(option, name)
        case inspect.ListType(item_type=item):
            yield f"{name}[]", [], [*example(item)]
            yield from ((inner, [a], [b]) for inner, a, b in variations(item, f"{name}[]"))
        case inspect.DictType(value_type=value):
            (one,) = example(value)
            yield f"{name}{{}}", {"k": one}, {"l": one}
            yield from ((inner, {"k": a}, {"k": b}) for inner, a, b in variations(value, f"{name}{{}}"))
        case inspect.NoneType():
            return
        case _:
            a, b = scalars(kind)
            yield name, a, b


def struct_variations(kind: inspect.StructType, name: str) -> Iterator[Variation]:
    (base,) = example(kind)
    for field in kind.fields:
        path = f"{name}.{field.encode_name}"
        if not field.required:
            yield from ((f"{path}?", base, base | {field.encode_name: value}) for value in other_values(field))
        for inner, a, b in variations(field.type, path):
            yield inner, base | {field.encode_name: a}, base | {field.encode_name: b}


def other_values(field: inspect.Field) -> list[Any]:
    """Return a value that is not the default, if one is found at once."""
    values = [value for _, *pair in variations(field.type, "") for value in pair]
    default = field.default if field.default is not msgspec.NODEFAULT else []
    return [value for value in values if value != default][:1]


def example(kind: inspect.Type) -> tuple[Any]:
    match kind:
        case inspect.StructType(fields=fields, tag_field=tag_field, tag=tag):
            members = {field.encode_name: example(field.type)[0] for field in fields if field.required}
            return (({tag_field: tag} if tag_field else {}) | members,)
        case inspect.UnionType(types=types):
            return example(types[0])
        case inspect.ListType():
            return ([],)
        case inspect.DictType():
            return ({},)
        case inspect.NoneType():
            return (None,)
        case _:
            return (scalars(kind)[0],)


def scalars(kind: inspect.Type) -> tuple[Any, Any]:
    if isinstance(kind, inspect.Metadata):
        return scalars(kind.type)
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0], kind.values[-1]
    return SCALARS.get(type(kind), ("YQ==", "Yg=="))


SCALARS: dict[type[inspect.Type], tuple[Any, Any]] = {
    inspect.BoolType: (False, True),
    inspect.IntType: (1, 2),
    inspect.FloatType: (0.25, 0.5),
    inspect.AnyType: (1, "1"),
}


def read(value: Any) -> ChatRequest:
    return msgspec.json.decode(msgspec.json.encode(value), type=StreamRequest)


ALL = [v for v in variations(inspect.type_info(StreamRequest), "request") if v[1] != v[2]]


def top(path: str) -> str:
    return path.removeprefix("request.").split(".")[0].split("[")[0].strip("?|{}")


def test_every_member_of_a_request_is_in_the_key_or_known_not_to_matter() -> None:
    wrong = [
        path
        for path, one, other in ALL
        if (key(read(one)) == key(read(other))) is not (top(path) in IGNORED - {"tags"})
    ]
    assert wrong == []


def test_the_variations_reach_every_member_of_every_type() -> None:
    varied = {path.strip("?|").rpartition(".")[2].split("[")[0].strip("?|{}") for path, *_ in ALL}
    expected = {name for kind in structs(inspect.type_info(StreamRequest)) for name in kind.__struct_encode_fields__}
    assert expected - varied == set()
    assert {top(path) for path, *_ in ALL} == set(StreamRequest.__struct_fields__)


def structs(kind: Any) -> set[type[Struct]]:
    """Return all types that a value may hold."""
    found: set[type[Struct]] = {kind.cls} if isinstance(kind, inspect.StructType) else set()
    children = [field.type for field in getattr(kind, "fields", ())]
    children += [getattr(kind, name) for name in ("item_type", "value_type", "type") if hasattr(kind, name)]
    for child in (*children, *getattr(kind, "types", ())):
        found |= structs(child)
    return found


def test_what_does_not_matter_is_this() -> None:
    assert {
        "provider",
        "model",
        "tags",
        "timeouts",
        "retry",
        "fallback",
        "cache",
        "privacy",
        "include_message",
        "stream_id",
    } == IGNORED
    assert set(StreamRequest.__struct_fields__) >= IGNORED


def test_a_stream_and_a_whole_answer_share_a_key() -> None:
    assert key(StreamRequest(messages=QUESTION.messages, stream_id="s")) == key()


def test_the_order_of_members_does_not_matter() -> None:
    one, other = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}
    assert key(replace(QUESTION, provider_options={"x": one})) == key(replace(QUESTION, provider_options={"x": other}))


def test_tags_part_keys_in_whatever_order_they_come() -> None:
    keys = [key(replace(QUESTION, tags=tags)) for tags in ([], ["a"], ["b"], ["a", "b"], ["b", "a"], ["b", "a", "b"])]
    assert len(set(keys)) == 4
    assert keys[3] == keys[4] == keys[5]


def test_numbers_and_their_words_are_not_the_same() -> None:
    values: list[Any] = [1, 1.5, "1", True, None, [1], [], {}, "", 0, False]
    keys = {key(replace(QUESTION, provider_options={"x": {"y": value}})) for value in values}
    assert len(keys) == len(values)


KEY = Secret("sk-proj-abcdefgh12345678")
CONFIGS = sorted({record.config for record in PROVIDERS.values()}, key=lambda kind: kind.__name__)


@pytest.mark.parametrize(
    "other",
    [
        {"id": "another"},
        {"provider": PROVIDERS["ollama"]},
        {"endpoint": "https://other.test"},
        {"model": "script-2"},
        {"key": KEY},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_target_has_another_key(other: dict[str, Any]) -> None:
    assert key(target=replace(TARGET, **other)) != key()


def test_another_api_key_has_another_key_that_does_not_show_it() -> None:
    one, other = (replace(TARGET, key=Secret(text)) for text in ("sk-1", "sk-2"))
    assert key(target=one) != key(target=other)
    assert content(QUESTION, one) == content(QUESTION, other)


def test_what_was_found_out_about_a_model_does_not_matter() -> None:
    assert key(target=replace(TARGET, lacks=frozenset({"temperature"}))) == key()


UNASKED = {"id", "model", "api_key", "fallback", "rate_limits"}


@pytest.mark.parametrize("kind", CONFIGS, ids=lambda kind: kind.__name__)
def test_every_setting_is_in_the_key_or_known_not_to_matter(kind: type[BaseConfig]) -> None:
    info: Any = inspect.type_info(kind)
    found = {}
    for path, one, other in variations(info, "config"):
        configs = [configured(kind, value) for value in (one, other)]
        if configs[0] != configs[1]:
            same = key(target=replace(TARGET, config=configs[0])) == key(target=replace(TARGET, config=configs[1]))
            found[path] = same
    assert found
    assert [path for path, same in found.items() if same is not (top(path.replace("config.", "", 1)) in UNASKED)] == []
    assert {top(path.replace("config.", "", 1)) for path in found} == set(kind.__struct_fields__)


def configured(kind: type[BaseConfig], value: Any) -> BaseConfig:
    return msgspec.convert(value, kind, dec_hook=decode_hook)


def test_a_model_file_that_was_replaced_has_another_key(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    target = replace(TARGET, endpoint=str(file))
    keys = []
    for words in (None, b"one", b"other"):
        if words is not None:
            file.write_bytes(words)
        keys.append(key(target=target))
    assert len(set(keys)) == 3
    assert key(target=target) == keys[-1]


def test_types_of_another_form_have_other_keys() -> None:
    plain = msgspec.defstruct("Question", [("seed", int)])
    forms = [
        plain,
        msgspec.defstruct("Question", [("seed", int), ("depth", int, 1)]),
        msgspec.defstruct("Question", [("seed", int), ("depth", int, 2)]),
        msgspec.defstruct("Question", [("seed", str)]),
        msgspec.defstruct("Question", [("seeds", int)]),
    ]
    assert len({form((kind,)) for kind in forms}) == len(forms)
    assert form((plain,)) == form((msgspec.defstruct("Question", [("seed", int)]),))


def test_another_version_has_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    form.cache_clear()
    monkeypatch.setattr("sidecar.middleware.cache_key.__version__", "0.0.0")
    after = key()
    form.cache_clear()
    assert after != before


def test_a_large_file_is_read_once() -> None:
    data = random.Random(0).randbytes(12 << 20).hex().encode()
    source = Base64Source(msgspec.Raw(b'"' + data + b'"'))
    request = ChatRequest(messages=[Message("user", [File("image/png", source)])])
    started = time.perf_counter()
    size = len(content(request, TARGET))
    assert time.perf_counter() - started < 0.5
    assert len(data) < size < len(data) + 1000
