"""The store on a real Secret Service: GNOME's keyring on a D-Bus session of our own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keychains import SecretService, needs_secret_service, secret_service

pytestmark = needs_secret_service

PRELUDE = """
import json, os, sys, time
from pathlib import Path
import anyio
from sidecar.credentials import Credentials
from sidecar.schema.errors import SidecarError
from sidecar.schema.secret import Secret

HERE = "https://api.openai.com"
credentials = Credentials(Path(sys.argv[1]), deadline_ms=int(sys.argv[2]))
credentials.service = "sidecar-test"

async def attempt(work):
    try:
        return await work
    except SidecarError as error:
        return error.type

async def main():
    said = []
"""

EPILOGUE = """
    said.append(credentials.state().state)
    return said

sys.stdout.write(json.dumps(anyio.run(main)))
"""


@pytest.fixture
def service() -> Iterator[SecretService]:
    with secret_service() as service:
        yield service


def start(service: SecretService, data: Path, body: str, deadline_ms: int = 10_000) -> subprocess.Popen[str]:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + lines + EPILOGUE, str(data), str(deadline_ms)],
        cwd=Path(__file__).parents[2],
        env=service.environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(service: SecretService, data: Path, body: str, deadline_ms: int = 10_000) -> Any:
    """Run the body of a coroutine in a process of its own, and return what it appended to `said`."""
    process = start(service, data, body, deadline_ms)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(output)


SAVE = 'said.append(await attempt(credentials.save("openai", [HERE], Secret("sk-real-0123456789abcdef"))))'
READ = """
key = await attempt(credentials.key_for("openai", HERE))
said.append(key.reveal() if isinstance(key, Secret) else key)
"""
DELETE = 'said.append(await attempt(credentials.delete("openai", [HERE])))'


def test_a_key_outlives_the_process_that_saved_it(service: SecretService, tmp_path: Path) -> None:
    service.start("--unlock")
    assert run(service, tmp_path, SAVE) == [None, "ok"]
    assert run(service, tmp_path, READ) == ["sk-real-0123456789abcdef", "ok"]
    assert run(service, tmp_path, DELETE) == [True, "ok"]
    assert run(service, tmp_path, READ) == [None, "unknown"]


def test_a_key_removed_by_other_means_leaves_the_list(service: SecretService, tmp_path: Path) -> None:
    service.start("--unlock")
    run(service, tmp_path, SAVE)
    remove = """
    import keyring
    keyring.delete_password("sidecar-test", "openai@https://api.openai.com")
    said.append([binding.provider for binding in credentials.bindings()])
    said.append([binding.provider for binding in await credentials.listed()])
    """
    dedented = "\n".join(line.strip() for line in remove.strip().splitlines())
    assert run(service, tmp_path, dedented) == [["openai"], [], "ok"]


def test_without_a_session_bus_the_keychain_is_unavailable(service: SecretService, tmp_path: Path) -> None:
    service.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={tmp_path}/none"
    assert run(service, tmp_path, SAVE + READ) == ["keyring_unavailable", None, "unavailable"]


def test_without_a_service_on_the_bus_the_keychain_is_unavailable(service: SecretService, tmp_path: Path) -> None:
    assert run(service, tmp_path, SAVE + READ) == ["keyring_unavailable", None, "unavailable"]


def test_a_keyring_that_was_never_made_counts_as_locked(service: SecretService, tmp_path: Path) -> None:
    service.start()
    assert run(service, tmp_path, SAVE + READ) == ["keyring_locked", None, "locked"]


def test_a_locked_keyring_gives_no_key_until_it_is_unlocked(service: SecretService, tmp_path: Path) -> None:
    service.start("--unlock", password="open sesame")
    run(service, tmp_path, SAVE)
    service.stop_daemon()
    service.start()
    assert run(service, tmp_path, READ) == ["keyring_locked", "locked"]
    service.stop_daemon()
    service.start("--unlock", password="open sesame")
    assert run(service, tmp_path, READ) == ["sk-real-0123456789abcdef", "ok"]


def test_failures_leak_no_descriptors(service: SecretService, tmp_path: Path) -> None:
    service.start()
    body = """
from sidecar.credentials import keychain
keychain.PAUSE_S = dict.fromkeys(keychain.PAUSE_S, 0.0)
await attempt(credentials.save("openai", [HERE], Secret("sk-real-0123456789abcdef")))
before = len(os.listdir("/proc/self/fd"))
for _ in range(20):
    await attempt(credentials.save("openai", [HERE], Secret("sk-real-0123456789abcdef")))
said.append(len(os.listdir("/proc/self/fd")) <= before)
"""
    assert run(service, tmp_path, body) == [True, "locked"]


def test_a_frozen_service_is_given_up_and_the_process_ends(service: SecretService, tmp_path: Path) -> None:
    service.start("--unlock")
    run(service, tmp_path, SAVE)
    freeze = f"{READ}os.kill({service.daemon_pid}, {signal.SIGSTOP.value})\ncredentials._memory.clear()\n"
    assert run(service, tmp_path, freeze + READ, 700) == ["sk-real-0123456789abcdef", "keyring_locked", "locked"]
    os.kill(service.daemon_pid, signal.SIGCONT)


def test_two_processes_that_save_at_once_both_keep_their_keys(service: SecretService, tmp_path: Path) -> None:
    service.start("--unlock")
    body = """
for number in range(5):
    await credentials.save({name!r}, [f"https://{{number}}.example"], Secret(f"{name}-key-{{number}}"))
"""
    both = [start(service, tmp_path, body.format(name=name)) for name in ("one", "two")]
    assert [process.communicate(timeout=60)[0] for process in both] == ['["ok"]', '["ok"]']
    check = """
for binding in await credentials.listed():
    said.append((await credentials.get(binding.provider, binding.origin)).reveal())
said.sort()
"""
    assert run(service, tmp_path, check) == [
        f"{name}-key-{number}" for name in ("one", "two") for number in range(5)
    ] + ["ok"]
