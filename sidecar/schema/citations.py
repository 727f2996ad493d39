"""What a text refers to."""

from typing import Literal

from msgspec import Struct


class UrlCitation(Struct, frozen=True, tag="url", omit_defaults=True):
    """A page that the model cites for the characters `start` to `end` of the text."""

    url: str
    title: str | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None


class DocumentCitation(Struct, frozen=True, tag="document", omit_defaults=True):
    """A place in a file of the conversation that the model cites: `start` to `end`, counted in `unit` from 0.

    `document` is the number of the file among those of the conversation, `file_id` the provider's own name for it.
    """

    document: int | None = None
    file_id: str | None = None
    title: str | None = None
    quote: str | None = None
    unit: Literal["character", "page", "block"] | None = None
    start: int | None = None
    end: int | None = None


Citation = UrlCitation | DocumentCitation
