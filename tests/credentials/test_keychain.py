import subprocess
import sys
import weakref
from pathlib import Path

import anyio
import pytest
from keychains import FAKE, MACOS, FakeBackend
from keyring.errors import (
    InitError,
    KeyringError,
    KeyringLocked,
    NoKeyringError,
    PasswordDeleteError,
    PasswordSetError,
)

from sidecar.credentials import keychain
from sidecar.credentials.keychain import Keychain
from sidecar.credentials.vault import NO_KEYCHAIN_HINT, Vault, VaultKind
from sidecar.schema.credentials import KeychainState
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio


def read(vault: Vault) -> str | None:
    return vault.backend.get_password("app", "name")


async def failure(subject: Keychain) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        await subject.run(read)
    return caught.value


async def test_a_call_returns_what_the_keychain_says() -> None:
    backend = FakeBackend()
    backend.items["app", "name"] = "the key"
    subject = Keychain(backend.loader(), 5)
    assert subject.state == KeychainState("unknown")
    assert await subject.run(read) == "the key"
    assert subject.state == KeychainState("ok", "fake")


LOCKED = ("keyring_locked", "locked")
DENIED = ("keyring_denied", "denied")
UNAVAILABLE = ("keyring_unavailable", "unavailable")


@pytest.mark.parametrize(
    ("kind", "raised", "expected"),
    [
        (FAKE, NoKeyringError("no recommended backend"), UNAVAILABLE),
        (FAKE, KeyringLocked("Failed to unlock the collection!"), LOCKED),
        (FAKE, InitError("Failed to create the collection: Prompt dismissed."), LOCKED),
        (MACOS, KeyringLocked("Can't get password from keychain"), DENIED),
        (FAKE, PasswordSetError("Can't store password"), DENIED),
        (FAKE, PasswordDeleteError("Can't delete password"), DENIED),
        (FAKE, KeyringError("-25308"), DENIED),
        (FAKE, ConnectionResetError("the bus has gone"), UNAVAILABLE),
        (FAKE, ZeroDivisionError("a defect"), UNAVAILABLE),
        (FAKE, SystemExit("a library that exits"), UNAVAILABLE),
    ],
)
async def test_each_way_to_fail_has_its_error_and_its_state(
    kind: VaultKind, raised: BaseException, expected: tuple[str, str]
) -> None:
    backend = FakeBackend()
    backend.failure = raised
    subject = Keychain(backend.loader(kind), 5)
    error = await failure(subject)
    assert (error.type, subject.state.state) == expected
    assert error.details["hint"] == subject.state.hint
    assert str(raised) not in error.message


async def test_a_failure_is_remembered_for_a_while() -> None:
    backend = FakeBackend()
    backend.failure = KeyringLocked()
    subject = Keychain(backend.loader(), 5)
    errors = [await failure(subject) for _ in range(3)]
    assert [error.to_object() for error in errors] == [errors[0].to_object()] * 3
    assert backend.calls == ["get"]


async def test_a_keychain_that_was_unlocked_works_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(keychain.PAUSE_S, "keyring_locked", 0.0)
    backend = FakeBackend()
    backend.failure = KeyringLocked()
    subject = Keychain(backend.loader(), 5)
    await failure(subject)
    backend.failure = None
    assert await subject.run(read) is None
    assert subject.state == KeychainState("ok", "fake")


async def test_a_look_at_a_keychain_that_tells_its_state_opens_no_dialog_and_holds_nothing_up() -> None:
    backend, locked = FakeBackend(), [True, False, True]
    subject = Keychain(backend.loader(VaultKind("quiet", asleep=lambda: locked.pop(0))), 5)
    states = []
    for _ in range(3):
        await subject.look("app")
        states.append(subject.state)
    asleep = KeychainState("locked", "quiet", keychain.HINTS["keyring_locked"])
    assert (states, backend.calls) == ([asleep, KeychainState("ok", "quiet"), asleep], [])
    assert await subject.run(read) is None
    assert subject.state == KeychainState("ok", "quiet")


@pytest.mark.parametrize("kind", [FAKE, MACOS])
async def test_a_look_never_opens_a_dialog_again_that_was_refused(
    kind: VaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keychain, "PAUSE_S", dict.fromkeys(keychain.PAUSE_S, 0.0))
    backend = FakeBackend()
    backend.failure = KeyringLocked()
    subject = Keychain(backend.loader(kind), 5)
    await failure(subject)
    refused = subject.state
    for _ in range(3):
        await subject.look("app")
    assert (subject.state, backend.calls) == (refused, ["get"])


async def test_a_look_notices_a_keychain_that_has_come_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keychain, "PAUSE_S", dict.fromkeys(keychain.PAUSE_S, 0.0))
    backend = FakeBackend()
    backend.failure = NoKeyringError()
    subject = Keychain(backend.loader(), 5)
    await subject.look("app")
    assert subject.state.state == "unavailable"
    backend.failure = None
    await subject.look("app")
    assert subject.state == KeychainState("ok", "fake")


async def test_a_call_that_does_not_return_counts_as_locked_and_the_next_fail_at_once() -> None:
    backend = FakeBackend()
    backend.gate.clear()
    subject = Keychain(backend.loader(), 0.05)
    errors = [await failure(subject) for _ in range(3)]
    assert [error.type for error in errors] == ["keyring_locked"] * 3
    assert subject.state.state == "locked"
    assert backend.calls == ["get"]
    backend.gate.set()


async def test_calls_work_again_when_the_one_that_was_stuck_returns() -> None:
    backend = FakeBackend()
    backend.gate.clear()
    subject = Keychain(backend.loader(), 0.05)
    await failure(subject)
    thread = subject._stuck
    assert thread is not None
    backend.gate.set()
    thread._thread.join(10)
    assert await subject.run(read) is None
    assert subject.state == KeychainState("ok", "fake")


async def test_no_second_dialog_is_opened_while_one_waits_for_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keychain, "PAUSE_S", dict.fromkeys(keychain.PAUSE_S, 0.0))
    backend = FakeBackend()
    backend.gate.clear()
    subject = Keychain(backend.loader(), 0.02)
    told = [await failure(subject) for _ in range(5)]
    assert ([error.to_object() for error in told], backend.calls) == ([told[0].to_object()] * 5, ["get"])
    backend.gate.set()


async def test_a_keychain_that_cannot_be_opened_in_time_is_unavailable() -> None:
    backend = FakeBackend()
    backend.gate.clear()

    def load() -> Vault:
        backend.gate.wait(30)
        return Vault(backend, FAKE)

    subject = Keychain(load, 0.05)
    assert (await failure(subject)).type == "keyring_unavailable"
    assert subject.state == KeychainState("unavailable", None, NO_KEYCHAIN_HINT)
    backend.gate.set()


async def test_calls_are_made_in_the_order_they_came() -> None:
    backend = FakeBackend()
    subject = Keychain(backend.loader(), 5)
    order: list[int] = []

    async def call(number: int) -> None:
        await subject.run(lambda _: order.append(number))

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(call, number)
    assert order == list(range(20))


async def test_a_cancelled_call_does_not_hold_up_the_next_one() -> None:
    backend = FakeBackend()
    backend.gate.clear()
    subject = Keychain(backend.loader(), 5)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(subject.run, read)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    backend.gate.set()
    with anyio.fail_after(5):
        assert await subject.run(read) is None


class Connection:
    """Something that only a collection of reference cycles frees."""

    def __init__(self) -> None:
        self.itself = self


async def test_what_a_failed_call_held_is_freed() -> None:
    held: list[weakref.ref[Connection]] = []

    def fail(vault: Vault) -> None:
        del vault
        connection = Connection()
        held.append(weakref.ref(connection))
        raise KeyringLocked

    with pytest.raises(SidecarError):
        await Keychain(FakeBackend().loader(), 5).run(fail)
    assert [reference() for reference in held] == [None]


STUCK_AT_EXIT = """
import sys, threading, anyio
from sidecar.credentials.keychain import Keychain
from sidecar.credentials.vault import Vault, VaultKind
from sidecar.schema.errors import SidecarError

async def main():
    try:
        await Keychain(lambda: Vault(None, VaultKind("stuck")), 0.05).run(lambda vault: threading.Event().wait())
    except SidecarError as error:
        sys.stdout.write(error.type)

anyio.run(main)
"""


def test_a_stuck_call_does_not_keep_the_process_alive() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUCK_AT_EXIT],
        capture_output=True,
        timeout=20,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert (done.stdout, done.stderr) == (b"keyring_locked", b"")


HEAVY = ("keyring", "platformdirs", "fcntl", "hashlib", "secretstorage")


def test_importing_credentials_and_targets_loads_nothing_heavy() -> None:
    script = f"""
import anyio, asyncio, sys
before = set(sys.modules)
import sidecar.credentials, sidecar.targets
sys.stdout.write(",".join(sorted(set({HEAVY!r}) & (set(sys.modules) - before))))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=20, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == b""
