"""A provider that plays a script, for tests and demonstrations."""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import CHAT_AND_EMBEDDINGS_ON_LOAD, Provider
from sidecar.schema.providers import BaseConfig


class ScriptedConfig(BaseConfig, frozen=True, kw_only=True, tag="scripted"):
    """A provider that plays the script in `provider_options.scripted`; there only with `--scripted`."""


SCRIPTED: Final = Provider(
    id="scripted",
    name="Scripted",
    config=ScriptedConfig,
    engine="scripted",
    offers=CHAT_AND_EMBEDDINGS_ON_LOAD,
    default_model="script-1",
    needs_key=False,
    local=True,
    quirks=ChatQuirks(cost_field=True),
)
