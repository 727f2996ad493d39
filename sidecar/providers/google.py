"""Google Gemini. https://ai.google.dev/gemini-api/docs"""

from typing import Final
from urllib.parse import urlsplit

from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import ALL, Place, Provider
from sidecar.schema.providers import BaseConfig

VERSION: Final = "/v1beta"


class GoogleConfig(BaseConfig, frozen=True, kw_only=True, tag="google"):
    """Google Gemini. A `base_url` without a path is completed by the version of the API."""


def versioned_url(place: Place, path: str) -> str:
    """Return `path` below the base URL, which may lack its version."""
    base = place.base_url.rstrip("/")
    return base + path if urlsplit(base).path else base + VERSION + path


def model_traits(config: GoogleConfig, model: str) -> ModelTraits:
    """Return what a model takes."""
    from sidecar.providers.google_models import traits_of

    del config
    return traits_of(model)


GOOGLE: Final = Provider(
    id="google",
    name="Google Gemini",
    config=GoogleConfig,
    offers=ALL,
    dialect="gemini_generate",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    key_header="x-goog-api-key",
    key_prefix="",
    bearer_prefixes=("ya29.",),
    key_env="GEMINI_API_KEY",
    url=versioned_url,
    traits=model_traits,
)
