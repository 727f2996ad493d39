"""The whole sidecar over pipes, with a real Secret Service, with none, and with one that never answers."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import pytest
from host import Host, session
from keychains import SecretService, needs_secret_service, secret_service
from upstream import Server, answer, running

from sidecar.credentials.vault import NO_KEYCHAIN_HINT

if TYPE_CHECKING:
    from prompter import Prompter

KEY = "gsk_canary-abcdefgh12345678"
OTHER = "gsk_canary-zyxwvuts87654321"
GROQ = ["https://api.groq.com"]
SECRET_SERVICE = {"state": "ok", "backend": "Secret Service"}
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
HI = [{"role": "user", "content": "hi"}]
DEADLINE_MS = 3_000


@pytest.fixture
def real() -> Iterator[SecretService]:
    with secret_service() as service:
        yield service


@pytest.fixture
def upstream() -> Iterator[Server]:
    with running(answer(ANSWER)) as server:
        yield server


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def person_at(address: str, reaction: Literal["close", "leave"]) -> "Prompter":
    """Put somebody before the dialogs of the bus."""
    from prompter import Prompter  # Linux's alone

    return Prompter(address, reaction)


def chat(server: Server, **config: str) -> dict[str, Any]:
    return {"provider": "openai_compatible", "base_url": f"{url_of(server)}/v1", "model": "m", **config}


def states(host: Host) -> list[Any]:
    """Return the keychain's state as both lists tell it."""
    return [host.call(method)["keychain"] for method in ("credentials.list", "providers.list")]


@needs_secret_service
def test_a_key_is_saved_masked_overwritten_listed_and_deleted(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock")
    with session(tmp_path, env=real.environment) as host:
        assert host.call("providers.list")["keychain"] == {"state": "unknown"}
        for key in (OTHER, KEY):
            assert host.call("credentials.save", {"provider": "groq", "api_key": key})["origins"] == GROQ
    with session(tmp_path, env=real.environment) as host:
        shown = host.call("credentials.get", {"provider": "groq"})
        assert shown == {"exists": True, "masked": "…5678", "origins": GROQ}
        assert host.call("credentials.list") == {
            "credentials": [{"provider": "groq", "has_api_key": True, "origins": GROQ}],
            "keychain": SECRET_SERVICE,
        }
        assert states(host) == [SECRET_SERVICE] * 2
        assert host.call("credentials.delete", {"provider": "groq"}) == {"deleted": True}
    with session(tmp_path, env=real.environment) as host:
        assert host.call("credentials.get", {"provider": "groq"}) == {"exists": False}
        assert host.call("credentials.list") == {"credentials": [], "keychain": SECRET_SERVICE}


@needs_secret_service
def test_long_keys_and_names_in_any_script_are_kept_whole(
    real: SecretService, upstream: Server, tmp_path: Path
) -> None:
    real.start("--unlock")
    key, app, id_ = "k" * 16_380 + "-end", "Фокус — 集中 🗝", "мой сервер"
    place = {"provider": id_, "base_url": url_of(upstream)}
    with session(tmp_path, f"--app-id={app}", env=real.environment) as host:
        host.call("credentials.save", {**place, "api_key": key})
        refused = host.fail("credentials.save", {**place, "api_key": "sk-ключ-12345678"})
        assert refused["message"] == "The API key holds line breaks, or characters beyond ASCII."
        assert host.fail("credentials.save", {**place, "api_key": key + "x"})["data"]["type"] == "invalid_params"
    with session(tmp_path, f"--app-id={app}", env=real.environment) as host:
        host.call("providers.configure", {"config": chat(upstream, id=id_)})
        host.call("chat.complete", {"provider": id_, "messages": HI})
        assert [request.headers["authorization"] for request in upstream.requests] == [f"Bearer {key}"]
        assert host.call("credentials.list")["credentials"][0]["provider"] == id_
    with session(tmp_path, env=real.environment) as host:
        assert host.call("credentials.list")["credentials"] == []


@needs_secret_service
def test_two_sidecars_at_once_see_what_the_other_does(real: SecretService, upstream: Server, tmp_path: Path) -> None:
    real.start("--unlock")
    place = {"provider": "openai_compatible", "base_url": url_of(upstream)}
    ask = {"model": "m", "messages": HI}
    with session(tmp_path, env=real.environment) as one, session(tmp_path, env=real.environment) as two:
        for host in (one, two):
            host.call("providers.set_active", {"config": chat(upstream)})
        one.call("credentials.save", {**place, "api_key": KEY})
        two.call("chat.complete", ask)
        two.call("credentials.save", {**place, "api_key": OTHER})
        one.call("chat.complete", ask)
        one.call("credentials.delete", place)
        assert two.call("credentials.get", place) == {"exists": False}
        two.call("chat.complete", ask)
        sent = [request.headers.get("authorization") for request in upstream.requests]
        assert sent == [f"Bearer {KEY}", f"Bearer {OTHER}", None]
        ids = [
            (host, host.send("credentials.save", {"provider": name, "api_key": KEY}))
            for host, name in ((one, "groq"), (two, "mistral"))
            for _ in range(5)
        ]
        assert all("result" in host.reply(id_) for host, id_ in ids)
        listed = [[row["provider"] for row in host.call("credentials.list")["credentials"]] for host in (one, two)]
        assert [sorted(names) for names in listed] == [["groq", "mistral"]] * 2


@needs_secret_service
def test_a_locked_keychain_is_told_and_works_once_it_is_unlocked(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock", password="open sesame")
    with session(tmp_path, env=real.environment) as host:
        host.call("credentials.save", {"provider": "groq", "api_key": KEY})
    real.stop_daemon()
    real.start()
    locked = {
        "state": "locked",
        "backend": "Secret Service",
        "hint": "Unlock the system's keychain, and try again.",
    }
    with session(tmp_path, env=real.environment) as host:
        error = host.fail("credentials.get", {"provider": "groq"})
        assert (error["data"]["type"], error["data"]["hint"]) == ("keyring_locked", locked["hint"])
        assert states(host) == [locked] * 2
        assert host.fail("credentials.save", {"provider": "mistral", "api_key": OTHER})["data"]["type"] == (
            "keyring_locked"
        )
        real.stop_daemon()
        real.start("--unlock", password="open sesame")
        until(host, SECRET_SERVICE)
        assert host.call("credentials.get", {"provider": "groq"})["masked"] == "…5678"
        assert states(host) == [SECRET_SERVICE] * 2


@needs_secret_service
def test_the_state_of_a_keychain_without_keys_is_looked_up_again_after_a_failure(
    real: SecretService, tmp_path: Path
) -> None:
    real.start("--unlock", password="open sesame")
    real.stop_daemon()
    real.start()
    with session(tmp_path, env=real.environment) as host:
        assert host.call("credentials.list")["keychain"]["state"] == "locked"
        real.stop_daemon()
        real.start("--unlock", password="open sesame")
        until(host, SECRET_SERVICE)


def until(host: Host, keychain: Any) -> None:
    """Ask for the list until the keychain is like that: a failure is told again for a second."""
    end = time.monotonic() + 20
    while host.call("credentials.list")["keychain"] != keychain:
        assert time.monotonic() < end


@pytest.fixture
def asleep(real: SecretService, tmp_path: Path) -> SecretService:
    """A locked keychain with a key in it."""
    real.start("--unlock", password="open sesame")
    with session(tmp_path, env=real.environment) as host:
        host.call("credentials.save", {"provider": "groq", "api_key": KEY})
    real.stop_daemon()
    real.start()
    return real


@needs_secret_service
def test_a_dialog_that_is_closed_counts_as_locked_and_no_list_opens_one(asleep: SecretService, tmp_path: Path) -> None:
    locked = [{"state": "locked", "backend": "Secret Service", "hint": "Unlock the system's keychain, and try again."}]
    with person_at(asleep.address, "close") as person, session(tmp_path, env=asleep.environment) as host:
        assert (states(host), person.dialogs) == (locked * 2, 0)
        error = host.fail("credentials.get", {"provider": "groq"})
        assert (error["data"]["type"], person.dialogs) == ("keyring_locked", 1)
        assert (states(host), person.dialogs) == (locked * 2, 1)


@needs_secret_service
def test_a_keychain_that_is_locked_again_is_told_while_its_keys_are_in_memory(
    real: SecretService, tmp_path: Path
) -> None:
    real.start("--unlock")
    with session(tmp_path, env=real.environment) as host:
        host.call("credentials.save", {"provider": "groq", "api_key": KEY})
        assert states(host) == [SECRET_SERVICE] * 2
        real.lock()
        assert [state["state"] for state in states(host)] == ["locked"] * 2
        assert host.call("credentials.get", {"provider": "groq"})["masked"] == "…5678"


@needs_secret_service
def test_a_keychain_that_ends_is_told_with_its_name(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock")
    gone = {"state": "unavailable", "backend": "Secret Service", "hint": NO_KEYCHAIN_HINT}
    with session(tmp_path, env=real.environment) as host:
        host.call("credentials.save", {"provider": "groq", "api_key": KEY})
        real.stop_daemon()
        assert states(host) == [gone] * 2
        assert host.call("credentials.get", {"provider": "groq"})["masked"] == "…5678"


@needs_secret_service
def test_one_dialog_is_opened_for_all_that_wait_for_it(asleep: SecretService, tmp_path: Path) -> None:
    flags = (f"--limit=keychain_ms={DEADLINE_MS}",)
    with person_at(asleep.address, "leave") as person, session(tmp_path, *flags, env=asleep.environment) as host:
        ids = [host.send("credentials.get", {"provider": "groq"}) for _ in range(20)]
        errors = [host.reply(id_)["error"] for id_ in ids]
        assert {error["data"]["type"] for error in errors} == {"keyring_locked"}
        assert {error["data"]["hint"] for error in errors} == {
            "It may be waiting for its password in a dialog; answer it, and try again."
        }
        assert person.dialogs == 1


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A session bus that takes connections and says nothing, ever."""
    with TemporaryDirectory(prefix="bus-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/bus")
        listener.listen(64)
        listener.setblocking(False)
        yield listener


def bus_of(listener: socket.socket) -> dict[str, str]:
    return {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={listener.getsockname()}"}


def callers(listener: socket.socket) -> int:
    """Count those who have connected."""
    number = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            number += 1
    return number


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the session bus is Linux's")


@needs_secret_service
def test_a_keychain_that_blocks_for_ever_holds_up_nobody_else(
    real: SecretService, upstream: Server, tmp_path: Path
) -> None:
    real.start("--unlock")
    os.kill(real.daemon_pid, signal.SIGSTOP)
    with session(tmp_path, "--limit=keychain_ms=60000", env=real.environment) as host:
        saving = host.send("credentials.save", {"provider": "groq", "api_key": KEY})
        listing = host.send("credentials.list")
        host.call("server.ping")
        host.call("providers.set_active", {"config": chat(upstream, api_key=OTHER)})
        host.call("chat.complete", {"messages": HI})
        assert [request.headers["authorization"] for request in upstream.requests] == [f"Bearer {OTHER}"]
        assert host.call("providers.list")["keychain"] == {"state": "unknown"}
        assert host.call("credentials.get", {"provider": "groq"})["masked"] == "…5678"
        os.kill(real.daemon_pid, signal.SIGCONT)
        assert host.reply(saving)["result"]["origins"] == GROQ
        assert host.reply(listing)["result"]["keychain"] == SECRET_SERVICE


@needs_secret_service
def test_a_sidecar_ends_while_its_keychain_blocks_for_ever(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock")
    os.kill(real.daemon_pid, signal.SIGSTOP)
    with session(tmp_path, "--limit=keychain_ms=600000", env=real.environment) as host:
        host.send("credentials.list")
        host.call("server.ping")


@needs_secret_service
def test_a_key_from_the_host_leaves_the_keychain_alone_even_where_it_has_one(
    real: SecretService, silent: socket.socket, upstream: Server, tmp_path: Path
) -> None:
    real.start("--unlock")
    place = {"provider": "openai_compatible", "base_url": url_of(upstream)}
    with session(tmp_path, env=real.environment) as host:
        host.call("credentials.save", {**place, "api_key": OTHER})
    with session(tmp_path, env=bus_of(silent)) as host:
        host.call("providers.set_active", {"config": chat(upstream, api_key=KEY)})
        host.call("chat.complete", {"messages": HI})
        host.call("providers.test", {"provider": "openai_compatible"})
        host.fail("models.list", {"provider": "openai_compatible"})
        keys = {row["id"]: row["key"] for row in host.call("providers.list")["providers"]}
        assert keys["openai_compatible"] == {"source": "config", "masked": "…5678"}
        host.call("providers.remove", {"provider": "openai_compatible"})
    assert {request.headers["authorization"] for request in upstream.requests} == {f"Bearer {KEY}"}
    assert callers(silent) == 0


@on_linux
def test_keys_in_the_environment_count_only_with_key_env(silent: socket.socket, tmp_path: Path) -> None:
    env = {**bus_of(silent), "GROQ_API_KEY": KEY}
    sources = []
    for flags in ((), ("--key-env",)):
        with session(tmp_path, *flags, env=env) as host:
            rows = host.call("providers.list")["providers"]
            sources.append(next(row["key"] for row in rows if row["id"] == "groq"))
    assert sources == [{"source": "none"}, {"source": "environment", "masked": "…5678"}]
    assert callers(silent) == 0


@on_linux
def test_a_bus_that_says_nothing_counts_as_no_keychain(silent: socket.socket, tmp_path: Path) -> None:
    with session(tmp_path, f"--limit=keychain_ms={DEADLINE_MS}", env=bus_of(silent)) as host:
        assert states(host) == [{"state": "unavailable", "hint": NO_KEYCHAIN_HINT}] * 2
    assert callers(silent) > 0


@pytest.mark.parametrize(
    "env",
    [
        {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"},
        {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
        {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
        {"PYTHON_KEYRING_BACKEND": "no.such.Keyring"},
        pytest.param({}, marks=on_linux),
    ],
    ids=["no-bus", "fail", "null", "no-such-backend", "nothing"],
)
def test_without_a_keychain_nothing_is_kept_and_every_list_says_so(env: dict[str, str], tmp_path: Path) -> None:
    with session(tmp_path, env=env) as host:
        error = host.fail("credentials.save", {"provider": "groq", "api_key": KEY})
        assert (error["data"]["type"], error["data"]["hint"]) == ("keyring_unavailable", NO_KEYCHAIN_HINT)
        assert states(host) == [{"state": "unavailable", "hint": NO_KEYCHAIN_HINT}] * 2
        assert host.call("credentials.get", {"provider": "groq"}) == {"exists": False}
    assert KEY.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@needs_secret_service
def test_a_frozen_keychain_is_given_up_and_used_again_when_it_thaws(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock")
    with session(tmp_path, f"--limit=keychain_ms={DEADLINE_MS}", env=real.environment) as host:
        host.call("credentials.save", {"provider": "groq", "api_key": KEY})
        os.kill(real.daemon_pid, signal.SIGSTOP)
        frozen = host.call("credentials.list")
        assert frozen["credentials"] == [{"provider": "groq", "has_api_key": True, "origins": GROQ}]
        assert (frozen["keychain"]["state"], frozen["keychain"]["backend"]) == ("locked", "Secret Service")
        assert host.call("credentials.get", {"provider": "groq"})["masked"] == "…5678"
        os.kill(real.daemon_pid, signal.SIGCONT)
        until(host, SECRET_SERVICE)
