"""What methods take to be told of a configuration."""

from msgspec import Struct

from sidecar.providers import ProviderConfig


class ConfigParams(Struct, frozen=True):
    """A provider configuration."""

    config: ProviderConfig


class SetActiveParams(Struct, frozen=True):
    """Which provider to make the active one: by a configuration, which is then kept, or by its id."""

    config: ProviderConfig | None = None
    provider: str | None = None


class TestParams(Struct, frozen=True):
    """What to test: a configuration given here, one by id, or the active one.

    With `probe`, a test that found no fault also asks the model a tiny question, which may cost something.
    """

    config: ProviderConfig | None = None
    provider: str | None = None
    probe: bool = False
