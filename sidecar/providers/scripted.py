"""A provider that plays a script, for tests and demonstrations."""

from typing import Final

from sidecar.providers.record import Provider
from sidecar.schema.providers import ScriptedConfig

SCRIPTED: Final = Provider(
    id="scripted",
    name="Scripted",
    config=ScriptedConfig,
    engine="scripted",
    default_model="script-1",
    needs_key=False,
    local=True,
    free=True,
)
