"""Known secrets hidden in what is told, in whichever form they were repeated."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

HIDDEN: Final = "***"

DEPTH: Final = 3
"""How often escapes are undone, as in JSON within JSON within a URL."""

SHORTEST_PART: Final = 8
"""Shorter parts of a secret, such as a login's user, are words that people need."""

SHORTEST_CUT: Final = 12
"""How much of a secret is hidden where a text was cut in the middle of it; what is shorter may be a vendor's prefix."""

CUT: Final = "…"

SCHEMES: Final = frozenset({"apikey", "api-key", "basic", "bearer", "key", "token"})
"""What may stand before the secret itself in a header. https://www.rfc-editor.org/rfc/rfc9110#section-11.1"""

REMEMBERED: Final = 1 << 10
"""For how many secrets it is remembered in which forms they may come."""

# In lower case: of URLs, of JSON and other strings, of HTML.
KINDS: Final = (
    r"%[0-9a-f]{2}",
    r"\\u00[0-9a-f]{2}|\\x[0-9a-f]{2}|\\[\"'\\/]",
    r"&#x0*[0-9a-f]{2};|&#0*\d{2,3};|&(?:amp|lt|gt|quot|apos);",
)
ANY: Final = re.compile("|".join(KINDS))
ESCAPES: Final = (*((re.compile(kind), 1) for kind in KINDS), (ANY, DEPTH))
"""Each kind by itself, for secrets that look escaped in another one, and all of them together."""

EATEN: Final = re.compile(r"[0-9a-f]{1,2}(?=.*[^\w.~-])", re.IGNORECASE | re.DOTALL)
"""What of a secret, which is escaped elsewhere, becomes part of an escape if `%` or its like stands before it."""

ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}

Span = tuple[int, int]


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without the secrets: as they are, in another case, escaped, in hex or base64, or cut at its end."""
    needles = tuple(needle for secret in secrets if secret for needle in _forms(secret))
    if not needles:
        return text
    spans = sorted(_spans(text, needles))
    return _without(text, spans) if spans else text


def _spans(text: str, needles: tuple[str, ...]) -> Iterator[Span]:
    """Yield where needles are in the text, with its escapes as they are and undone."""
    view = _lower(text)
    yield from _matches(view, needles)
    for escape, depth in ESCAPES:
        for undone, starts in _layers(view, escape, depth):
            for first, end in _matches(undone, needles):
                yield starts[first], starts[end]


def _layers(view: str, escape: re.Pattern[str], depth: int) -> Iterator[tuple[str, list[int]]]:
    """Yield the view with one layer of escapes undone after the other, and where each character began."""
    starts: list[int] = []
    for _ in range(depth):
        if escape.search(view) is None:
            return
        view, starts = _undone(view, escape, starts or list(range(len(view) + 1)))
        yield view, starts


def _matches(view: str, needles: tuple[str, ...]) -> Iterator[Span]:
    end = len(view) - view.endswith(CUT)
    for needle in needles:
        at = view.find(needle)
        while at >= 0:
            yield at, at + len(needle)
            at = view.find(needle, at + len(needle))
        beginning = needle[: max(len(needle) // 2, 1)][:SHORTEST_CUT]
        at = view.find(beginning, max(0, end - len(needle) + 1), end)
        while at >= 0:
            if needle.startswith(view[at:end]):
                yield at, end
                break
            at = view.find(beginning, at + 1, end)


def _undone(view: str, escape: re.Pattern[str], starts: list[int]) -> tuple[str, list[int]]:
    pieces: list[str] = []
    places: list[int] = []
    last = 0
    for found in escape.finditer(view):
        pieces += view[last : found.start()], _character(found[0])
        places += starts[last : found.start()]
        places.append(starts[found.start()])
        last = found.end()
    pieces.append(view[last:])
    places += starts[last:]
    return "".join(pieces), places


def _character(escape: str) -> str:
    if escape.startswith("&#"):
        code = int(escape[3:-1], 16) if escape[2] == "x" else int(escape[2:-1])
    elif escape.startswith("&"):
        return ENTITIES[escape[1:-1]]
    elif len(escape) == 2:  # noqa: PLR2004 - a backslash before the character itself
        return escape[1]
    else:
        code = int(escape[-2:], 16)
    return chr(code).lower()[0]


def _lower(text: str) -> str:
    """Return the text in lower case, every character in its place."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(one.lower()[0] for one in text)


def _without(text: str, spans: list[Span]) -> str:
    pieces: list[str] = []
    last = 0
    for first, end in spans:
        if first >= last:
            pieces += text[last:first], HIDDEN
        last = max(last, end)
    return "".join([*pieces, text[last:]])


@lru_cache(maxsize=REMEMBERED)
def _forms(secret: str) -> tuple[str, ...]:
    """Return all that gives a secret away, in lower case."""
    forms: dict[str, None] = {}
    for value in (secret, *_parts(secret)):
        data = value.encode(errors="replace")
        forms |= dict.fromkeys((_lower(value), *_tails(value), data.hex(), *_base64(data)))
    return tuple(forms)


def _tails(value: str) -> Iterator[str]:
    """Yield what is left of a value that lost its beginning to the `%` before it."""
    if eaten := EATEN.match(value):
        yield from (_lower(value[count:]) for count in range(1, eaten.end() + 1) if len(value) > SHORTEST_PART + count)


def _parts(secret: str) -> Iterator[str]:
    """Yield what a header's value holds behind its scheme, and the password of a login."""
    scheme, _, rest = secret.partition(" ")
    rest = rest.strip()
    if scheme.lower() in SCHEMES and len(rest) >= SHORTEST_PART:
        yield rest
        password = _password(rest) if scheme.lower() == "basic" else ""
        if len(password) >= SHORTEST_PART:
            yield password


def _password(login: str) -> str:
    from base64 import b64decode

    try:
        return b64decode(login).decode().partition(":")[2]
    except ValueError:
        return ""


def _base64(data: bytes) -> Iterator[str]:
    """Yield the characters of base64 that depend on `data` alone, wherever it stands in what was encoded."""
    from base64 import b64encode

    for offset in range(3):
        encoded = b64encode(bytes(offset) + data).decode().lower()
        sure = encoded[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]
        if len(sure) >= SHORTEST_PART:
            yield sure
            yield sure.replace("+", "-").replace("/", "_")
