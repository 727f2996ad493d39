"""What hosts and configurations add to bodies in the provider's own words."""

from typing import Any

from sidecar.dialects.contract import Aim

Body = dict[str, Any]


def completed(body: Body, options: dict[str, Body], aim: Aim) -> Body:
    """Return `body` with the options for the provider, then those for this instance of it, which have the last word."""
    for name in dict.fromkeys((aim.kind, aim.provider)):
        body = merged(body, options.get(name, {}))
    return body


def merged(body: Body, options: Body) -> Body:
    """Return `body` with `options`, which have the last word, also inside objects."""
    inner = {
        name: body[name] | value
        for name, value in options.items()
        if isinstance(value, dict) and isinstance(body.get(name), dict)
    }
    return body | options | inner
