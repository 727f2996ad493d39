"""Names and comments, written as each language has them."""

import re
import textwrap
from typing import Final

WORD: Final = re.compile(r"[A-Za-z0-9]+")


def words(name: str) -> list[str]:
    """Return the words of a name of the protocol, such as `stream_id`, `x-open` or `providers.set_active`."""
    return WORD.findall(name)


def pascal(name: str) -> str:
    """Return `SetActive` for `set_active`; names that have capitals keep them."""
    return "".join(word[0].upper() + word[1:] for word in words(name))


def camel(name: str) -> str:
    """Return `setActive` for `set_active`."""
    first, *rest = words(name)
    return first[0].lower() + first[1:] + pascal("_".join(rest)) if rest else first[0].lower() + first[1:]


def snake(name: str) -> str:
    """Return `set_active` for `providers.set_active`'s member, and `x_open` for `x-open`."""
    return "_".join(words(name))


def lines(doc: str, width: int) -> list[str]:
    """Return a description as lines of at most `width` characters; an empty line between paragraphs."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in doc.split("\n\n") if paragraph.strip()]
    wrapped = (textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) for text in paragraphs)
    return [line for block in wrapped for line in ["", *block]][1:]
