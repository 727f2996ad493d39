"""A model file on this machine."""

from typing import Final

from sidecar.providers.record import Provider
from sidecar.schema.providers import LocalConfig

LOCAL: Final = Provider(
    id="local",
    name="Local model",
    config=LocalConfig,
    engine="llama",
    needs_key=False,
    local=True,
    free=True,
)
