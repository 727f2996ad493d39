"""Keychains for tests: fakes that fail in every way, and a private Secret Service."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pytest

from sidecar.credentials.vault import KINDS, Vault, VaultKind

FAKE = VaultKind("fake")
QUIET = VaultKind("quiet", asleep=lambda: False)
"""Tells whether it is locked; the other fakes cannot."""

WINDOWS = KINDS["keyring.backends.Windows"]
MACOS = KINDS["keyring.backends.macOS"]
PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")

# A bus that starts no services by itself.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={home}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class FakeBackend:
    """A keychain in memory. It raises `failure` while there is one, and waits for `gate` before each call."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], str] = {}
        self.failure: BaseException | None = None
        self.gate = Event()
        self.gate.set()
        self.entered = Event()
        self.calls: list[str] = []

    def get_password(self, service: str, username: str, /) -> str | None:
        self._enter("get")
        return self.items.get((service, username))

    def set_password(self, service: str, username: str, password: str, /) -> None:
        self._enter("set")
        self.items[service, username] = password

    def delete_password(self, service: str, username: str, /) -> None:
        self._enter("delete")
        del self.items[service, username]

    def loader(self, kind: VaultKind = FAKE) -> Callable[[], Vault]:
        return lambda: Vault(self, kind)

    def _enter(self, name: str) -> None:
        self.calls.append(name)
        self.entered.set()
        assert self.gate.wait(30)
        if self.failure is not None:
            raise self.failure


def missing_programs() -> str | None:
    """Say what a private Secret Service lacks here."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


class SecretService:
    """A D-Bus session of our own with GNOME's keyring on it. `environment` leads other processes there."""

    def __init__(self, home: Path) -> None:
        self.environment = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "XDG_DATA_HOME": str(home / "share"),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        config = home / "bus.conf"
        config.write_text(BUS.format(home=home))
        self._bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment,
            text=True,
        )
        assert self._bus.stdout is not None
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self._bus.stdout.readline().strip()
        self._daemon: subprocess.Popen[str] | None = None

    def start(self, *flags: str, password: str = "") -> None:
        """Start the daemon; with `--unlock` it takes `password`, and makes the keyring if there is none."""
        daemon = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--components=secrets", *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment,
            text=True,
        )
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        daemon.stdin.write(f"{password}\n")
        daemon.stdin.close()
        self._daemon = daemon
        self._wait_until_ready()

    @property
    def address(self) -> str:
        """The address of the bus."""
        return self.environment["DBUS_SESSION_BUS_ADDRESS"]

    @property
    def daemon_pid(self) -> int:
        assert self._daemon is not None
        return self._daemon.pid

    def lock(self) -> None:
        """Lock the keyring."""
        import secretstorage  # Linux's alone
        from jeepney.io.blocking import open_dbus_connection

        with closing(open_dbus_connection(self.address)) as bus:
            secretstorage.Collection(bus).lock()

    def stop_daemon(self) -> None:
        """End the daemon; the bus goes on."""
        _end(self._daemon)
        self._daemon = None

    def stop(self) -> None:
        """End the daemon and the bus."""
        self.stop_daemon()
        _end(self._bus)

    def _wait_until_ready(self) -> None:
        command = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]
        command += ["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]
        deadline = time.monotonic() + 30
        while (
            "true"
            not in subprocess.run(command, env=self.environment, capture_output=True, check=True, text=True).stdout
        ):
            assert time.monotonic() < deadline


@contextmanager
def secret_service() -> Iterator[SecretService]:
    """A Secret Service that is not started yet."""
    with TemporaryDirectory(prefix="keyring-") as home:
        service = SecretService(Path(home))
        try:
            yield service
        finally:
            service.stop()


needs_secret_service = pytest.mark.skipif(
    sys.platform != "linux" or missing_programs() is not None,
    reason=missing_programs() or "the Secret Service is Linux's",
)


def _end(process: subprocess.Popen[str] | None) -> None:
    if process is not None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
