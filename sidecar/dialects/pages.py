"""Lists of models, in pages, of bounded length."""

from collections.abc import Sized
from typing import Final

from sidecar.schema.errors import SidecarError

MAX_MODELS: Final = 20_000
"""The most models of one provider."""


def check_number(models: Sized) -> None:
    """Raise `malformed_response` for more models than there can be."""
    if len(models) > MAX_MODELS:
        raise SidecarError("malformed_response", "The provider's list of models is too long to be read.")
