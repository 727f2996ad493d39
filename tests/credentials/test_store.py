from pathlib import Path

import anyio
import pytest
from keychains import FAKE, QUIET, FakeBackend
from keyring.errors import KeyringLocked

from sidecar.credentials import Binding, Credentials
from sidecar.credentials.keychain import PAUSE_S
from sidecar.credentials.memory import MAX_KEYS
from sidecar.credentials.vault import VaultKind
from sidecar.schema.credentials import KeychainState
from sidecar.schema.errors import SidecarError
from sidecar.schema.providers import KeyInfo
from sidecar.schema.secret import Secret

pytestmark = pytest.mark.anyio

HERE = "https://api.openai.com"
ELSEWHERE = "https://evil.example"
KEY = Secret("sk-proj-abcdefgh12345678")
OTHER = Secret("sk-proj-zyxwvuts87654321")
ITEM = ("llm-sidecar", "openai@https://api.openai.com")


def make(tmp_path: Path, backend: FakeBackend, kind: VaultKind = FAKE) -> Credentials:
    return Credentials(tmp_path, load=backend.loader(kind))


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def files_with(key: Secret, folder: Path) -> list[Path]:
    return [path for path in files_in(folder) if key.reveal().encode() in path.read_bytes()]


async def until_entered(backend: FakeBackend) -> None:
    with anyio.fail_after(5):
        while not backend.entered.is_set():
            await anyio.lowlevel.checkpoint()


async def test_a_saved_key_is_in_the_keychain_and_only_its_name_in_the_list(tmp_path: Path) -> None:
    backend = FakeBackend()
    credentials = make(tmp_path, backend)
    await credentials.save("openai", [HERE], KEY)
    assert backend.items == {ITEM: KEY.reveal()}
    assert credentials.bindings() == [Binding("openai", HERE)]
    assert files_with(KEY, tmp_path) == []


async def test_a_key_can_be_used_before_the_keychain_has_it(tmp_path: Path) -> None:
    backend = FakeBackend()
    backend.gate.clear()
    credentials = make(tmp_path, backend)
    async with anyio.create_task_group() as tasks:
        saving = credentials.save("openai", [HERE], KEY)
        assert await credentials.key_for("openai", HERE) == KEY
        assert credentials.info("openai", HERE) == KeyInfo("memory", "sk-proj-…5678")

        async def finish() -> None:
            await saving

        tasks.start_soon(finish)
        backend.gate.set()
    assert credentials.info("openai", HERE) == KeyInfo("keychain", "sk-proj-…5678")


async def test_a_key_that_was_saved_by_an_earlier_process_is_found(tmp_path: Path) -> None:
    backend = FakeBackend()
    await make(tmp_path, backend).save("openai", [HERE], KEY)
    credentials = make(tmp_path, backend)
    assert credentials.info("openai", HERE) == KeyInfo("keychain")
    assert credentials.held("openai", HERE) is None
    assert await credentials.key_for("openai", HERE) == KEY
    assert credentials.info("openai", HERE) == KeyInfo("keychain", "sk-proj-…5678")
    assert credentials.held("openai", HERE) == KEY


async def test_a_key_is_read_from_the_keychain_once(tmp_path: Path) -> None:
    backend = FakeBackend()
    await make(tmp_path, backend).save("openai", [HERE], KEY)
    backend.calls.clear()
    credentials = make(tmp_path, backend)

    async def use() -> None:
        assert await credentials.key_for("openai", HERE) == KEY

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(use)
    assert backend.calls == ["get"]


async def test_a_key_never_goes_to_another_origin(tmp_path: Path) -> None:
    credentials = make(tmp_path, FakeBackend())
    await credentials.save("openai", [HERE], KEY)
    for origin in (
        ELSEWHERE,
        "http://api.openai.com",
        "https://api.openai.com:8443",
        "https://api.openai.com.evil.example",
    ):
        with pytest.raises(SidecarError) as caught:
            await credentials.key_for("openai", origin)
        assert caught.value.type == "origin_not_allowed"
        assert KEY.reveal() not in repr(caught.value.to_object())


async def test_the_keychain_is_left_alone_where_no_key_was_saved(tmp_path: Path) -> None:
    def load() -> None:
        raise AssertionError("the keychain was opened")

    credentials = Credentials(tmp_path, load=load)  # type: ignore[arg-type]
    assert await credentials.key_for("openai", HERE) is None
    assert credentials.state() == KeychainState("unknown")
    assert files_in(tmp_path) == []


async def test_a_save_that_fails_leaves_no_key(tmp_path: Path) -> None:
    backend = FakeBackend()
    backend.failure = KeyringLocked()
    credentials = make(tmp_path, backend)
    with pytest.raises(SidecarError) as caught:
        await credentials.save("openai", [HERE], KEY)
    assert caught.value.type == "keyring_locked"
    assert await credentials.key_for("openai", HERE) is None
    assert credentials.bindings() == []
    assert credentials.state().state == "locked"


async def test_a_save_that_fails_leaves_the_key_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAUSE_S, "keyring_locked", 0.0)
    backend = FakeBackend()
    credentials = make(tmp_path, backend)
    await credentials.save("openai", [HERE], KEY)
    backend.failure = KeyringLocked()
    with pytest.raises(SidecarError):
        await credentials.save("openai", [HERE], OTHER)
    backend.failure = None
    assert await credentials.key_for("openai", HERE) == KEY


async def test_a_save_that_fails_does_not_take_away_a_newer_key(tmp_path: Path) -> None:
    backend = FakeBackend()
    backend.failure = KeyringLocked()
    credentials = make(tmp_path, backend)
    first = credentials.save("openai", [HERE], KEY)
    second = credentials.save("openai", [HERE], OTHER)
    with pytest.raises(SidecarError):
        await first
    assert await credentials.key_for("openai", HERE) == OTHER
    with pytest.raises(SidecarError):
        await second
    assert await credentials.key_for("openai", HERE) is None


async def test_a_save_that_is_cancelled_leaves_no_key_in_memory(tmp_path: Path) -> None:
    backend = FakeBackend()
    backend.gate.clear()
    credentials = make(tmp_path, backend)
    saving = credentials.save("openai", [HERE], KEY)
    async with anyio.create_task_group() as tasks:

        async def finish() -> None:
            await saving

        tasks.start_soon(finish)
        await until_entered(backend)
        tasks.cancel_scope.cancel()
    assert credentials.held("openai", HERE) is None
    backend.gate.set()


async def test_a_deleted_key_is_gone_at_once_and_for_good(tmp_path: Path) -> None:
    backend = FakeBackend()
    credentials = make(tmp_path, backend)
    await credentials.save("openai", [HERE], KEY)
    deleting = credentials.delete("openai", [HERE])
    assert await credentials.key_for("openai", HERE) is None
    assert credentials.info("openai", HERE) is None
    assert credentials.bindings() == []
    assert await deleting is True
    assert (backend.items, credentials.bindings()) == ({}, [])


async def test_a_key_that_could_not_be_deleted_is_still_there(tmp_path: Path) -> None:
    backend = FakeBackend()
    credentials = make(tmp_path, backend)
    await credentials.save("openai", [HERE], KEY)
    backend.failure = KeyringLocked()
    with pytest.raises(SidecarError):
        await credentials.delete("openai", [HERE])
    assert credentials.bindings() == [Binding("openai", HERE)]


async def test_saves_and_deletions_take_effect_in_their_order(tmp_path: Path) -> None:
    backend = FakeBackend()
    credentials = make(tmp_path, backend)
    changes = [
        credentials.save("openai", [HERE], KEY),
        credentials.delete("openai", [HERE]),
        credentials.save("openai", [HERE], OTHER),
    ]
    assert await credentials.key_for("openai", HERE) == OTHER
    for change in changes:
        await change
    assert backend.items == {ITEM: OTHER.reveal()}
    assert credentials.bindings() == [Binding("openai", HERE)]


async def test_a_key_that_has_left_the_keychain_leaves_the_list(tmp_path: Path) -> None:
    backend = FakeBackend()
    await make(tmp_path, backend).save("openai", [HERE, ELSEWHERE], KEY)
    del backend.items[ITEM]
    credentials = make(tmp_path, backend, QUIET)
    assert await credentials.listed() == [Binding("openai", ELSEWHERE)]
    assert make(tmp_path, backend).bindings() == [Binding("openai", ELSEWHERE)]


async def test_a_list_reads_one_item_of_each_key(tmp_path: Path) -> None:
    backend = FakeBackend()
    saving = make(tmp_path, backend)
    await saving.save("openai", [HERE, ELSEWHERE, "https://eu.api.openai.com"], KEY)
    await saving.save("openai", ["https://other.example"], OTHER)
    backend.calls.clear()
    assert len(await make(tmp_path, backend, QUIET).listed()) == 4
    assert backend.calls == ["get"] * 2


async def test_a_list_reads_no_key_where_that_may_open_a_dialog(tmp_path: Path) -> None:
    backend = FakeBackend()
    await make(tmp_path, backend).save("openai", [HERE], KEY)
    backend.calls.clear()
    credentials = make(tmp_path, backend)
    for _ in range(2):
        assert await credentials.listed() == [Binding("openai", HERE)]
    assert backend.calls == ["get"]  # of something that is not there


async def test_a_locked_keychain_does_not_empty_the_list(tmp_path: Path) -> None:
    backend = FakeBackend()
    await make(tmp_path, backend).save("openai", [HERE], KEY)
    backend.failure = KeyringLocked()
    credentials = make(tmp_path, backend)
    assert await credentials.listed() == [Binding("openai", HERE)]
    assert credentials.state().state == "locked"


async def test_what_another_process_changes_is_noticed(tmp_path: Path) -> None:
    backend = FakeBackend()
    credentials, another = make(tmp_path, backend), make(tmp_path, backend)
    await credentials.save("openai", [HERE], KEY)
    await another.save("openai", [HERE], OTHER)
    assert await credentials.key_for("openai", HERE) == OTHER
    await another.delete("openai", [HERE])
    assert await credentials.key_for("openai", HERE) is None


async def test_each_app_has_its_own_keys(tmp_path: Path) -> None:
    backend = FakeBackend()
    credentials = make(tmp_path, backend)
    credentials.service = "FocusFlow"
    await credentials.save("openai", [HERE], KEY)
    assert list(backend.items) == [("FocusFlow", "openai@https://api.openai.com")]
    credentials.service = "Another"
    assert await credentials.key_for("openai", HERE) is None
    credentials.service = "FocusFlow"
    assert await credentials.key_for("openai", HERE) == KEY


@pytest.mark.parametrize("key", ["", "  \n", "sk-one\nsk-two", "sk-ключ", "k" * 20_000])
def test_what_cannot_be_a_key_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SidecarError) as caught:
        make(tmp_path, FakeBackend()).save("openai", [HERE], Secret(key))
    assert (caught.value.type, caught.value.details) == ("invalid_params", {"param": "api_key"})


async def test_white_space_around_a_pasted_key_is_left_out(tmp_path: Path) -> None:
    credentials = make(tmp_path, FakeBackend())
    await credentials.save("openai", [HERE], Secret(f" {KEY.reveal()}\n"))
    assert await credentials.key_for("openai", HERE) == KEY


async def test_every_key_that_passed_through_is_known_to_the_logs(tmp_path: Path) -> None:
    credentials = make(tmp_path, FakeBackend())
    await credentials.save("openai", [HERE], KEY)
    credentials.see(OTHER)
    credentials.see(Secret("none"))
    assert list(credentials.known()) == [KEY.reveal(), OTHER.reveal()]


async def test_memory_holds_a_bounded_number_of_keys(tmp_path: Path) -> None:
    credentials = make(tmp_path, FakeBackend())
    origins = [f"https://{number}.example" for number in range(MAX_KEYS + 50)]
    await credentials.save("many", origins, KEY)
    for origin in origins:
        assert await credentials.key_for("many", origin) == KEY
    assert sum(credentials.held("many", origin) is not None for origin in origins) == MAX_KEYS


def test_environment_variables_count_only_when_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", f"{KEY.reveal()}\n")
    monkeypatch.setenv("BAD_API_KEY", "two\nlines")
    allowed = Credentials(tmp_path, key_env=True)
    found = [allowed.environment(name) for name in ("SOME_API_KEY", "BAD_API_KEY", "NO_API_KEY", None)]
    assert found == [KEY, None, None, None]
    assert list(allowed.known()) == [KEY.reveal()]
    assert Credentials(tmp_path).environment("SOME_API_KEY") is None


async def test_a_probe_tells_the_state_of_the_keychain(tmp_path: Path) -> None:
    backend = FakeBackend()
    assert await make(tmp_path, backend).probe() == KeychainState("ok", "fake")
    backend.failure = KeyringLocked()
    assert (await make(tmp_path, backend).probe()).state == "locked"


def test_the_data_directory_is_looked_up_when_it_is_needed(tmp_path: Path) -> None:
    asked: list[None] = []

    def directory() -> Path:
        asked.append(None)
        return tmp_path

    credentials = Credentials(directory)
    assert asked == []
    assert (credentials.bindings(), credentials.bindings(), len(asked)) == ([], [], 1)
