"""One file, from a hub that behaves and from hubs that do not."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
import upstream
from hub import Cut, Hub, sha256
from local_models import gguf
from upstream import Exchange, Server, serve

from sidecar.engines.network import HttpTransport
from sidecar.library.download import Download, Patience, Source
from sidecar.library.partial import note_path, partial_path
from sidecar.library.remote import FindKey, Remotes
from sidecar.schema.errors import SidecarError
from sidecar.schema.secret import Secret

pytestmark = pytest.mark.anyio

MODEL = gguf(data=os.urandom(3 << 20))
OTHER = gguf(data=os.urandom(3 << 20))
PATIENCE = Patience(idle_s=10, backoff_s=0.001, failures=3)
FILE = "/model.gguf"


async def no_key(origin: str) -> Secret | None:
    del origin
    return None


@asynccontextmanager
async def remotes(find_key: FindKey = no_key) -> AsyncIterator[Remotes]:
    transport = HttpTransport()
    with anyio.fail_after(30):
        yield Remotes(transport, find_key)
    await transport.close()


async def fetch(
    server: Server, goal: Path, digest: str | None = None, patience: Patience = PATIENCE
) -> list[tuple[int, int | None]]:
    """Fetch the model to `goal`, and return what was told of its progress."""
    told: list[tuple[int, int | None]] = []
    async with remotes() as here:
        source = Source(url=server.url + FILE, digest=digest)
        fetched = await Download(here, source, goal, patience).run(lambda *progress: told.append(progress))
    assert (fetched.path, fetched.size, fetched.digest) == (goal, size(goal), sha256(content(goal)))
    return told


async def fail(server: Server, goal: Path, digest: str | None = None, patience: Patience = PATIENCE) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        await fetch(server, goal, digest, patience)
    return caught.value


def content(path: Path) -> bytes:
    return path.read_bytes()


def leave(goal: Path, data: bytes, **note: object) -> None:
    """Leave an unfinished file behind, as an earlier attempt would."""
    partial_path(goal).write_bytes(data)
    note_path(goal).write_bytes(json.dumps(note).encode())


def note_of(goal: Path) -> dict[str, object]:
    """Return what was noted of the unfinished file."""
    found: dict[str, object] = json.loads(note_path(goal).read_bytes())
    return found


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def remove(path: Path) -> None:
    path.unlink()


def size(path: Path) -> int:
    return path.stat().st_size


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def ranges(server: Server) -> list[str | None]:
    return [request.headers.get("range") for request in server.requests]


@pytest.fixture
def goal(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


async def test_a_file_is_fetched_and_nothing_else_is_left(goal: Path) -> None:
    async with serve(Hub({FILE: MODEL})) as server:
        told = await fetch(server, goal)
    assert content(goal) == MODEL
    assert left(goal.parent) == {"model.gguf"}
    assert told[-1] == (len(MODEL), len(MODEL))
    assert [size for size, _ in told] == sorted(size for size, _ in told)
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("cuts", [[0], [1], [3], [1000], [len(MODEL) - 1], [5, 70_000, 1 << 20, 9]])
async def test_a_download_that_is_cut_goes_on_where_it_was(goal: Path, cuts: list[int], how: Cut) -> None:
    hub = Hub({FILE: MODEL}, cuts=list(cuts), how=how)
    async with serve(hub) as server:
        await fetch(server, goal)
    assert content(goal) == MODEL
    assert len(server.requests) == len(cuts) + 1
    if how == "fin":
        places = [sum(cuts[:number]) for number in range(len(cuts) + 1)]
        assert ranges(server) == [f"bytes={place}-" if place else None for place in places]


async def test_what_an_earlier_attempt_left_is_taken_up(goal: Path) -> None:
    async with serve(Hub({FILE: MODEL}, cuts=[1 << 20] * 9)) as server:
        assert (await fail(server, goal, patience=Patience(failures=1, attempts=1))).type == "download_failed"
    assert left(goal.parent) == {"model.gguf.part", "model.gguf.part.json"}
    async with serve(Hub({FILE: MODEL})) as second:
        leave(goal, content(partial_path(goal)), **note_of(goal) | {"url": second.url + FILE})
        told = await fetch(second, goal, sha256(MODEL))
    assert told[0] == (1 << 20, len(MODEL))
    assert ranges(second) == [f"bytes={1 << 20}-"]
    assert left(goal.parent) == {"model.gguf"}


@pytest.mark.parametrize("digests", [True, False])
async def test_a_file_that_changed_meanwhile_is_fetched_anew(goal: Path, digests: bool) -> None:  # noqa: FBT001
    hub = Hub({FILE: OTHER}, cuts=[1 << 20], digests=digests)

    async def handler(exchange: Exchange) -> None:
        await hub(exchange)
        hub.files[FILE] = MODEL

    async with serve(handler) as server:
        await fetch(server, goal)
    assert content(goal) == MODEL


@pytest.mark.parametrize("digests", [True, False])
async def test_a_server_without_ranges_is_asked_for_all_again(goal: Path, digests: bool) -> None:  # noqa: FBT001
    async with serve(Hub({FILE: MODEL}, cuts=[1 << 20], ranges=False, digests=digests)) as server:
        await fetch(server, goal)
    assert content(goal) == MODEL


async def test_without_etags_only_a_known_checksum_lets_a_download_go_on(goal: Path) -> None:
    async with serve(Hub({FILE: MODEL}, cuts=[1 << 20], etags=False)) as server:
        await fetch(server, goal)
    assert ranges(server) == [None, None]
    remove(goal)
    async with serve(Hub({FILE: MODEL}, cuts=[1 << 20], etags=False)) as server:
        await fetch(server, goal, sha256(MODEL))
    assert ranges(server) == [None, f"bytes={1 << 20}-"]


async def test_all_of_a_file_without_its_name_needs_no_second_transfer(goal: Path) -> None:
    async with serve(Hub({FILE: MODEL})) as server:
        leave(goal, MODEL, url=server.url + FILE, etag='"x"', total=len(MODEL))
        await fetch(server, goal)
    assert server.requests == []


@pytest.mark.parametrize(("extra", "requests"), [(b"", 1), (b"more", 2)])
async def test_a_range_behind_the_end_is_the_end_or_another_file(goal: Path, extra: bytes, requests: int) -> None:
    async with serve(Hub({FILE: MODEL})) as server:
        leave(goal, MODEL + extra, url=server.url + FILE, etag=f'"{sha256(MODEL)[:16]}"')
        await fetch(server, goal)
    assert content(goal) == MODEL
    assert len(server.requests) == requests


async def test_a_file_with_the_wrong_checksum_is_deleted(goal: Path) -> None:
    async with serve(Hub({FILE: OTHER})) as server:
        assert (await fail(server, goal, sha256(MODEL))).type == "checksum_mismatch"
    assert left(goal.parent) == set()


async def test_a_file_that_came_damaged_is_found_out_by_the_hubs_checksum(goal: Path) -> None:
    damaged = MODEL[:-1] + bytes([MODEL[-1] ^ 1])

    async def handler(exchange: Exchange) -> None:
        await exchange.respond(200, {"x-linked-etag": f'"{sha256(MODEL)}"'}, damaged)

    async with serve(handler) as server:
        assert (await fail(server, goal)).type == "checksum_mismatch"
    assert left(goal.parent) == set()


async def test_a_hub_that_has_another_file_is_not_asked_for_all_of_it(goal: Path) -> None:
    hub = Hub({FILE: OTHER}, digests=True, pause=100)
    async with serve(hub) as server:
        assert (await fail(server, goal, sha256(MODEL))).type == "checksum_mismatch"
        hub.gate.open()
    assert left(goal.parent) == set()


async def test_a_file_that_is_there_is_not_fetched_again(goal: Path) -> None:
    put(goal, MODEL)
    hub = Hub({FILE: MODEL}, digests=True, pause=100)
    async with serve(hub) as server:
        await fetch(server, goal, sha256(MODEL))
        assert server.requests == []
        await fetch(server, goal)
        hub.gate.open()
    assert len(server.requests) == 1
    assert left(goal.parent) == {"model.gguf"}


async def test_a_file_of_the_same_length_but_another_checksum_is_replaced(goal: Path) -> None:
    put(goal, OTHER)
    async with serve(Hub({FILE: MODEL}, digests=True)) as server:
        await fetch(server, goal)
    assert content(goal) == MODEL


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "text/html; charset=utf-8"}, b"<!DOCTYPE html>"),
        ({}, b"<!DOCTYPE html>" * 9),
        ({"content-encoding": "gzip"}, MODEL),
        ({}, MODEL[:100]),
        ({}, b"GGUF"),
    ],
)
async def test_what_is_no_model_never_gets_a_models_name(goal: Path, headers: dict[str, str], body: bytes) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.respond(200, headers, body)

    async with serve(handler) as server:
        assert (await fail(server, goal)).type == "model_file_invalid"
    assert left(goal.parent) == set()
    assert len(server.requests) == 1


async def test_a_web_page_is_not_read_to_its_end(goal: Path) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, {})
        await exchange.send(b"<html>" * 100)
        await exchange.hang()

    async with serve(handler) as server:
        assert (await fail(server, goal)).type == "model_file_invalid"


@pytest.mark.parametrize(
    ("status", "kind", "requests"),
    [
        (401, "authentication", 1),
        (403, "permission_denied", 1),
        (404, "model_not_found", 1),
        (418, "download_failed", 1),
        (429, "rate_limited", 3),
        (500, "server_error", 3),
        (503, "provider_overloaded", 3),
    ],
)
async def test_a_refusal_is_told_and_passing_ones_are_tried_again(
    goal: Path, status: int, kind: str, requests: int
) -> None:
    hub = Hub({FILE: MODEL}, statuses=[status] * 9, headers={"retry-after": "0"})
    async with serve(hub) as server:
        error = await fail(server, goal)
    assert (error.type, error.details["http_status"], len(server.requests)) == (kind, status, requests)
    assert left(goal.parent) == set()


async def test_a_server_that_recovers_is_forgiven(goal: Path) -> None:
    async with serve(Hub({FILE: MODEL}, statuses=[503, 500])) as server:
        await fetch(server, goal)
    assert len(server.requests) == 3


async def test_a_server_that_says_nothing_is_given_up_and_what_came_is_kept(goal: Path) -> None:
    hub = Hub({FILE: MODEL}, pause=100_000)
    async with serve(hub) as server:
        error = await fail(server, goal, patience=Patience(idle_s=0.2, backoff_s=0.001, failures=2))
        hub.gate.open()
    assert (error.type, error.details["stage"]) == ("timeout", "idle")
    assert content(partial_path(goal)) == MODEL[:100_000]


async def test_a_cancelled_download_keeps_what_came(goal: Path) -> None:
    hub = Hub({FILE: MODEL}, pause=100_000)
    arrived = anyio.Event()

    def progress(size: int, total: int | None) -> None:
        del total
        if size == 100_000:
            arrived.set()

    async with serve(hub) as server, remotes() as here, anyio.create_task_group() as tasks:
        download = Download(here, Source(url=server.url + FILE), goal, PATIENCE)
        tasks.start_soon(download.run, progress)
        await arrived.wait()
        tasks.cancel_scope.cancel()
    hub.gate.open()
    assert content(partial_path(goal)) == MODEL[:100_000]
    note = note_of(goal)
    assert (note["total"], note["etag"]) == (len(MODEL), f'"{sha256(MODEL)[:16]}"')


async def test_a_redirect_is_followed_and_the_key_is_not(goal: Path) -> None:
    async def key(origin: str) -> Secret | None:
        return Secret("hf_secret") if origin == hub_server.url else None

    hub = Hub({FILE: MODEL}, digests=True)
    async with serve(Hub({FILE: MODEL})) as store, serve(hub) as hub_server, remotes(key) as here:
        hub.store = store.url
        source = Source(url=hub_server.url + FILE)
        fetched = await Download(here, source, goal, PATIENCE).run(lambda *_: None)
    assert fetched.digest == sha256(MODEL)
    assert [request.headers.get("authorization") for request in hub_server.requests] == ["Bearer hf_secret"]
    assert [request.headers.get("authorization") for request in store.requests] == [None]
    assert store.requests[0].path == f"{FILE}?signed=yes"


async def test_a_key_does_not_come_back_with_a_redirect_to_where_it_was(goal: Path) -> None:
    async def key(origin: str) -> Secret | None:
        return Secret("hf_secret") if origin == first.url else None

    async def back(exchange: Exchange) -> None:
        await exchange.respond(302, {"location": f"{first.url}/again.gguf"})

    async def away(exchange: Exchange) -> None:
        if exchange.request.path == FILE:
            await exchange.respond(302, {"location": f"{second.url}{FILE}"})
        else:
            await exchange.respond(200, {}, MODEL)

    async with serve(away) as first, serve(back) as second, remotes(key) as here:
        await Download(here, Source(url=first.url + FILE), goal, PATIENCE).run(lambda *_: None)
    assert [request.headers.get("authorization") for request in first.requests] == ["Bearer hf_secret", None]


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        (FILE, "download_failed"),
        ("http://example.test/model.gguf", "origin_not_allowed"),
        ("ftp://example.test/model.gguf", "download_failed"),
        ("https://user:pass@example.test/", "download_failed"),
    ],
)
async def test_redirects_without_end_or_to_unsafe_places_are_not_followed(goal: Path, location: str, kind: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.respond(302, {"location": location})

    async with serve(handler) as server:
        assert (await fail(server, goal)).type == kind
    assert len(server.requests) in (1, 6)


async def test_from_an_encrypted_place_nothing_leads_to_an_unencrypted_one(goal: Path, tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    transport = HttpTransport(ca_file=pem)
    async with serve(Hub({FILE: MODEL})) as plain:
        hub = Hub({FILE: MODEL}, store=plain.url)
        async with serve(hub, upstream.tls_context(pem)) as server:
            here = Remotes(transport, no_key)
            with pytest.raises(SidecarError) as caught:
                await Download(here, Source(url=server.url + FILE), goal, PATIENCE).run(lambda *_: None)
            await transport.close()
    assert caught.value.type == "origin_not_allowed"
    assert plain.requests == []


async def test_a_disk_without_room_is_told_before_anything_is_written(
    goal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    async with serve(Hub({FILE: MODEL})) as server:
        error = await fail(server, goal)
    assert (error.type, error.message) == (
        "disk_full",
        f"The download needs {len(MODEL)} bytes more, and the disk has 1000 bytes left.",
    )
    assert left(goal.parent) == set()


async def test_a_length_that_nobody_tells_is_learned_at_the_end(goal: Path) -> None:
    async with serve(Hub({FILE: MODEL}, lengths=False)) as server:
        told = await fetch(server, goal)
    assert content(goal) == MODEL
    assert told[-1] == (len(MODEL), None)


async def test_two_downloads_of_one_file_do_not_write_at_once(goal: Path) -> None:
    """As two processes would: each has a lock of its own on the unfinished file."""
    hub = Hub({FILE: MODEL}, pause=100_000)
    waiting = anyio.Event()
    async with serve(hub) as server, remotes() as here, anyio.create_task_group() as tasks:
        source = Source(url=server.url + FILE)
        arrived = anyio.Event()

        def first(size: int, _: int | None) -> None:
            if size == 100_000:
                arrived.set()

        def second(size: int, _: int | None) -> None:
            if size == 100_000:
                waiting.set()

        async def other() -> None:
            await arrived.wait()
            await Download(here, source, goal, PATIENCE).run(second)

        tasks.start_soon(Download(here, source, goal, PATIENCE).run, first)
        tasks.start_soon(other)
        await waiting.wait()
        hub.gate.open()
    assert content(goal) == MODEL
    assert len(server.requests) == 1
    assert left(goal.parent) == {"model.gguf"}
