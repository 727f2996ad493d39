import errno
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sidecar.app_files import file_name
from sidecar.credentials.binding import Binding
from sidecar.credentials.index import Index
from sidecar.schema.errors import SidecarError

ONE = Binding("openai", "https://api.openai.com")
TWO = Binding("groq", "https://api.groq.com")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    index = Index(tmp_path / "data", "FocusFlow")
    assert index.read() == {}
    with index.editing() as bindings:
        bindings[ONE] = 1
    assert index.read() == Index(tmp_path / "data", "FocusFlow").read() == {ONE: 1}


def test_an_edit_that_fails_writes_nothing(tmp_path: Path) -> None:
    index = Index(tmp_path, "app")
    with index.editing() as bindings:
        bindings[ONE] = 1

    def edit_and_fail() -> None:
        with index.editing() as bindings:
            bindings[TWO] = 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        edit_and_fail()
    assert index.read() == {ONE: 1}


def test_each_service_has_its_own_list(tmp_path: Path) -> None:
    with Index(tmp_path, "app").editing() as bindings:
        bindings[ONE] = 1
    assert Index(tmp_path, "App").read() == {}


def test_file_names_are_safe_and_never_shared() -> None:
    services = ["app", "App", "../../etc/passwd", "a/b", "a%2fb", "CON", "", "日本", "x" * 300, "x" * 301, "app.json"]
    names = [file_name("keys", service, ".json") for service in services]
    assert len({name.lower() for name in names}) == len(services)
    assert all(len(name) < 255 and "/" not in name and "\\" not in name for name in names)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"service": "app", "keys": [1]}', b"\xff"])
def test_a_damaged_list_counts_as_empty_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / file_name("keys", "app", ".json")).write_bytes(content)
    index = Index(tmp_path, "app")
    assert index.read() == {}
    with index.editing() as bindings:
        bindings[ONE] = 1
    assert index.read() == {ONE: 1}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_the_user_can_read_the_list(tmp_path: Path) -> None:
    with Index(tmp_path / "data", "app").editing() as bindings:
        bindings[ONE] = 1
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    assert modes == {"keys-app.json": 0o600, "keys-app.lock": 0o600}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(SidecarError) as caught, Index(tmp_path / "data" / "x", "app").editing():
        pass
    assert caught.value.type == "keyring_unavailable"


def test_a_full_disk_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SidecarError) as caught, Index(tmp_path, "app").editing() as bindings:
        bindings[ONE] = 1
    assert caught.value.type == "disk_full"
    assert Index(tmp_path, "app").read() == {}


def test_a_file_that_is_being_read_is_replaced_a_little_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Path] = []
    replace = Path.replace

    def busy(self: Path, target: Path) -> Path:
        attempts.append(target)
        if len(attempts) < 3:
            raise PermissionError(errno.EACCES, "in use")
        return replace(self, target)

    monkeypatch.setattr("sidecar.credentials.index.REPLACE_PAUSES_S", (0, 0, 0))
    monkeypatch.setattr(Path, "replace", busy)
    with Index(tmp_path, "app").editing() as bindings:
        bindings[ONE] = 1
    assert (len(attempts), Index(tmp_path, "app").read()) == (3, {ONE: 1})


EDITOR = """
import sys
from pathlib import Path
from sidecar.credentials.binding import Binding
from sidecar.credentials.index import Index

index = Index(Path(sys.argv[1]), "app")
for number in range(40):
    with index.editing() as bindings:
        bindings[Binding(sys.argv[2], f"https://{number}.example")] = number
"""


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    editors = [
        subprocess.Popen([sys.executable, "-c", EDITOR, str(tmp_path), name], cwd=Path(__file__).parents[2])
        for name in ("a", "b", "c")
    ]
    assert [editor.wait(60) for editor in editors] == [0, 0, 0]
    expected = {Binding(name, f"https://{number}.example"): number for name in "abc" for number in range(40)}
    assert Index(tmp_path, "app").read() == expected
    assert len(msgspec.json.decode((tmp_path / file_name("keys", "app", ".json")).read_bytes())["keys"]) == 120
