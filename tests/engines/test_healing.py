"""Better addresses, told only where something was found there."""

import pytest
from msgspec.structs import replace

from sidecar.engines import healing
from sidecar.engines.failures import NotTls
from sidecar.engines.transport import Opening, Outgoing
from sidecar.handler import Target
from sidecar.providers import PROVIDERS
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio

TWIN = "Something listens at the other address of this machine: {there}"
NO_ANSWER = SidecarError("connect", "It closed the connection.")


class World:
    """A transport to servers that are there, and to those that speak TLS; it notes where it is led."""

    def __init__(self, *there: str, tls: SidecarError | None = None) -> None:
        self.there = there
        self.tls = tls
        self.tried: list[str] = []

    async def reach(self, url: str) -> None:
        self.tried.append(url)
        if url not in self.there:
            raise NO_ANSWER

    async def secure(self, url: str) -> None:
        self.tried.append(url)
        if self.tls is not None:
            raise self.tls

    async def resolve(self, url: str) -> None:
        raise AssertionError(url)

    def open(self, request: Outgoing) -> Opening:
        raise AssertionError(request)

    async def close(self) -> None:
        raise AssertionError


def target(url: str) -> Target:
    record = replace(PROVIDERS["ollama"], name="Server", base_url="http://127.0.0.1:9/v1")
    return Target(id="here", provider=record, config=record.config(), endpoint=url, model="m")


@pytest.mark.parametrize(
    ("url", "there", "hint"),
    [
        ("http://127.0.0.1:8/v1", "http://[::1]:8/v1", TWIN),
        ("http://[::1]:8/v1", "http://127.0.0.1:8/v1", TWIN),
        ("http://localhost/v1", "http://127.0.0.1:9/v1", "Something listens where Server usually does: {there}"),
        ("http://127.0.0.1:9/v1", "", "Is the server running? Nothing listens at 127.0.0.1:9."),
        ("http://localhost:8/v1", "http://[::1]:8/v1", "Is the server running? Nothing listens at localhost:8."),
    ],
)
async def test_what_listens_elsewhere_on_this_machine_is_told(url: str, there: str, hint: str) -> None:
    assert await healing.elsewhere_here(World(there), target(url)) == hint.format(there=there)


async def test_other_machines_are_not_searched() -> None:
    world = World()
    assert await healing.elsewhere_here(world, target("http://lan.example:8/v1")) is None
    assert world.tried == []


@pytest.mark.parametrize(
    ("url", "tls", "hint"),
    [
        ("http://x.example/v1", None, "The server expects encryption on this port: https://x.example:80/v1"),
        ("http://[::1]:8/v1", None, "The server expects encryption on this port: https://[::1]:8/v1"),
        ("http://x:8/v1", SidecarError("tls", "Expired."), "The server expects encryption on this port: https://x:8/v1"),
        ("http://x:8/v1", NotTls("x"), None),
        ("http://x:8/v1", NO_ANSWER, None),
    ],
)  # fmt: skip
async def test_encryption_is_advised_where_it_is_spoken(url: str, tls: SidecarError | None, hint: str | None) -> None:
    assert await healing.with_encryption(World(tls=tls), url, NO_ANSWER) == hint


@pytest.mark.parametrize(
    ("url", "failure"),
    [("https://x.example/v1", NO_ANSWER), ("http://x.example/v1", SidecarError("rate_limited"))],
)
async def test_encryption_is_not_tried_where_it_is_not_the_trouble(url: str, failure: SidecarError) -> None:
    world = World()
    assert await healing.with_encryption(world, url, failure) is None
    assert world.tried == []


@pytest.mark.parametrize(
    ("url", "failure", "hint"),
    [
        ("https://localhost:8/v1", NotTls("x"), "The server has no encryption on this port: http://localhost:8/v1"),
        ("https://localhost:8/v1", SidecarError("tls", "Expired."), None),
        ("https://x.example/v1", NotTls("x"), None),
    ],
)
def test_to_give_up_encryption_is_advised_on_this_machine_alone(
    url: str, failure: SidecarError, hint: str | None
) -> None:
    assert healing.without_encryption(url, failure) == hint
