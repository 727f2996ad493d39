"""JSON that does not fit, read as far as it does."""

import pytest
from msgspec import Struct

from sidecar.dialects import lenient
from sidecar.dialects.lenient import read
from sidecar.schema.errors import SidecarError


class Leaf(Struct, frozen=True):
    n: int | None = None
    word: str | None = None


class Tree(Struct, frozen=True):
    leaf: Leaf | None = None
    leaves: list[Leaf | str] | None = None
    n: int = 0


@pytest.mark.parametrize(
    ("data", "tree"),
    [
        (b"{}", Tree()),
        (b'{"n":"x"}', Tree()),
        (b'{"n":1,"leaf":[]}', Tree(n=1)),
        (b'{"leaf":{"n":"x","word":"w"}}', Tree(Leaf(None, "w"))),
        (b'{"leaves":["w",{"n":1},7,null,{"n":[]}]}', Tree(None, ["w", Leaf(1), Leaf()])),
        (b'{"leaves":{"n":1},"n":2}', Tree(n=2)),
        (b'{"n":1e999,"leaf":{"word":"w"}}', Tree(Leaf(None, "w"))),
        (b'{"n":"x","leaf":{"word":"\\ud83d\xff"}}', Tree(Leaf(None, "\ufffd\ufffd"))),
        (b'{"leaf":' + b"[" * 200_000 + b"]" * 200_000 + b',"n":1}', None),
    ],
)
def test_fields_that_do_not_fit_count_as_missing(data: bytes, tree: Tree | None) -> None:
    if tree is not None:
        assert read(data, Tree) == tree
        return
    with pytest.raises(SidecarError) as caught:
        read(data, Tree)
    assert caught.value.type == "malformed_response"


@pytest.mark.parametrize(
    ("data", "error_type"),
    [
        (b"", "stream_interrupted"),
        (b'{"n":', "stream_interrupted"),
        (b'{"n":1.', "stream_interrupted"),
        (b'{"leaf":{"n":1}', "stream_interrupted"),
        (b'{"n":x}', "malformed_response"),
        (b"[]", "malformed_response"),
        (b"7", "malformed_response"),
    ],
)
def test_what_is_no_object_is_an_error(data: bytes, error_type: str) -> None:
    with pytest.raises(SidecarError) as caught:
        read(data, Tree)
    assert caught.value.type == error_type


def test_only_so_many_values_are_tried_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lenient, "MAX_FITS", 10)
    assert read(b'{"leaves":[%b7]}' % (b"7," * 6), Tree) == Tree(None, [])
    with pytest.raises(SidecarError) as caught:
        read(b'{"leaves":[%b7]}' % (b"7," * 9), Tree)
    assert caught.value.type == "malformed_response"


def test_a_list_too_long_to_be_looked_through_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lenient, "MAX_COMMAS", 3)
    assert read(b'{"leaves":[7,7,7,"w"],"n":1}', Tree) == Tree(None, ["w"], 1)
    assert read(b'{"leaves":[7,7,7,7,"w"],"n":1}', Tree) == Tree(n=1)
