"""What a kept answer is found by: a digest of all that it depends on."""

import os
from functools import cache
from typing import Any, Final

import msgspec
from msgspec.structs import fields, replace

from sidecar import __version__
from sidecar.handler import Target
from sidecar.schema.chat import ChatRequest, StreamRequest
from sidecar.schema.secret import Secret
from sidecar.storage.answers import KeptAnswer

IGNORED: Final = frozenset(
    {
        "provider",  # the target is in the key
        "model",
        "tags",  # they are in the key, in whatever order they came
        "timeouts",
        "retry",
        "fallback",
        "cache",
        "privacy",
        "include_message",
        "stream_id",
    }
)
"""What of a request does not change the answer. All else is in the key, also what is added some day."""

UNASKED: Final[dict[str, Any]] = {"id": None, "model": None, "api_key": None, "fallback": [], "rate_limits": None}
"""What of a configuration does not: it is in the target, or says when and where to ask."""

_KINDS: Final[tuple[type[Any], ...]] = (StreamRequest, KeptAnswer)
"""What is asked, and what is kept."""


def content(request: ChatRequest, target: Target) -> bytes:
    """Return what is asked of whom, the same for the same, but for what is secret."""
    asked = replace(request, **_defaults(type(request)))
    place = (target.id, target.provider.id, target.endpoint, target.model, _file(target.endpoint))
    return _ENCODER.encode((place, sorted(set(request.tags)), asked))


def digest(content: bytes, target: Target) -> bytes:
    """Return the key of a content for who asks with these secrets, of which it tells nothing."""
    import hmac  # a start does without it

    who = _ENCODER.encode((target.key, replace(target.config, **UNASKED)))
    keyed = hmac.new(who, form(_KINDS), "sha256")
    keyed.update(content)
    return keyed.digest()


def treatment(request: ChatRequest) -> bytes:
    """Return how a question is to be asked: only who agrees on that can be answered together."""
    return _ENCODER.encode((request.timeouts, request.retry, request.fallback, request.cache, request.privacy))


@cache
def form(kinds: tuple[type[Any], ...]) -> bytes:
    """Return what is another in each version of the sidecar, and for types of another form."""
    schemas = msgspec.json.schema_components(kinds)
    return msgspec.json.encode((__version__, schemas), order="deterministic")


def _file(endpoint: str) -> tuple[int, int] | None:
    """Return what changes with a model's file, where the endpoint is one."""
    try:
        state = os.stat(endpoint)  # noqa: PTH116 - an address is no path
    except (OSError, ValueError):
        return None
    return state.st_size, state.st_mtime_ns


@cache
def _defaults(kind: type[ChatRequest]) -> dict[str, Any]:
    """Return what the ignored fields are set to."""
    return {field.name: _default(field) for field in fields(kind) if field.name in IGNORED}


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value))


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_revealed, order="deterministic")
