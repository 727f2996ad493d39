"""JSON of a provider read as far as it fits: a field of the wrong type counts as missing."""

import re
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw, Struct

from sidecar.schema.errors import SidecarError

T = TypeVar("T", bound=Struct)

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What `msgspec` raises for JSON that is broken, of the wrong type, not UTF-8, or nested too deeply."""

MAX_FITS: Final = 100_000
"""The most values that are tried one by one."""

MAX_COMMAS: Final = 1 << 20
"""The most commas in a list whose items are."""

_LONE_SURROGATE: Final = (
    rb"(\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


class _Misfit:
    """Marks a value that fits no type asked for."""


_MISFIT: Final = _Misfit()


def read(data: bytes, kind: type[T]) -> T:
    """Decode an object into `kind`, all of whose fields have defaults, leaving out what does not fit.

    Raises `SidecarError("stream_interrupted")` for JSON that breaks off, `SidecarError("malformed_response")` for what
    is no JSON object.
    """
    data = _whole(data)
    found = _Fitting().fit(data, kind)
    if not isinstance(found, kind):
        raise SidecarError("malformed_response", "The provider's answer has an unknown form.")
    return found


def _whole(data: bytes) -> bytes:
    """Return `data`, known to be JSON, its broken characters replaced by U+FFFD."""
    text = data.decode(errors="replace").encode()
    text = re.sub(_LONE_SURROGATE, lambda found: found[1] or rb"\ufffd", text)
    try:
        msgspec.json.decode(text, type=Raw)
    except UNREADABLE as error:
        if text.rstrip().endswith(b"}") and "truncated" not in str(error):
            raise SidecarError("malformed_response", "The provider's answer is not valid JSON.") from error
        raise SidecarError("stream_interrupted", "The answer broke off.") from error
    return text


class _Fitting:
    """Reads one text value by value, up to `MAX_FITS` of them."""

    def __init__(self) -> None:
        self._left = MAX_FITS

    def fit(self, data: bytes | Raw, kind: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise SidecarError("malformed_response", "The provider's answer holds too much of an unknown form.")
        try:
            return msgspec.json.decode(data, type=kind)
        except UNREADABLE:
            for option in _options(kind):
                found = self._fit_inside(data, option)
                if found is not _MISFIT:
                    return found
        return _MISFIT

    def _fit_inside(self, data: bytes | Raw, kind: Any) -> Any:
        if get_origin(kind) is list:
            return self._fit_items(data, get_args(kind)[0])
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self._fit_fields(data, kind)
        return _MISFIT

    def _fit_items(self, data: bytes | Raw, kind: Any) -> Any:
        if bytes(data).count(b",") > MAX_COMMAS:
            return _MISFIT
        try:
            items = msgspec.json.decode(data, type=list[Raw])
        except UNREADABLE:
            return _MISFIT
        return [found for item in items if (found := self.fit(item, kind)) is not _MISFIT]

    def _fit_fields(self, data: bytes | Raw, kind: type[Struct]) -> Any:
        try:
            fields = msgspec.json.decode(data, type=dict[str, Raw])
        except UNREADABLE:
            return _MISFIT
        kinds = _hints(kind)
        names = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
        found = {name: self.fit(fields[wire], kinds[name]) for name, wire in names if wire in fields}
        return kind(**{name: value for name, value in found.items() if value is not _MISFIT})


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


@cache
def _hints(kind: type[Struct]) -> dict[str, Any]:
    return get_type_hints(kind)
