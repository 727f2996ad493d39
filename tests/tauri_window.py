"""A real Tauri window on a screen of its own, and the pages in it."""

import json
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import host
import pytest
import toolchains

TAURI: Final = toolchains.CLIENTS / "tauri"
TEST_APP: Final = TAURI / "test-app"
WEBKIT: Final = "webkit2gtk-4.1"
PATIENCE_S: Final = 60.0
"""How long a test waits for what must happen; far above what it takes."""
SCREEN: Final = "1100x800x24"
MODULES: Final = ("core", "event", "webviewWindow", "webview", "window", "dpi", "image")

PRELUDE: Final = """\
import { invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import type { CredentialInfo, ProviderInfo } from './llm-sidecar'

export const blocks: Record<string, () => Promise<unknown>> = {
"""


def require() -> None:
    """Skip the test, aloud, where something to build or to show a window with is missing."""
    toolchains.require("cargo", "node", "npm", "pkg-config", "Xvfb", "import")
    if subprocess.run(["pkg-config", "--exists", WEBKIT], check=False).returncode:
        pytest.skip(f"{WEBKIT} not installed")


@cache
def app() -> Path:
    """Build the test app and return its executable."""
    require()
    toolchains.run("cargo", "build", "--workspace", "--locked", cwd=TAURI)
    return toolchains.CACHES["CARGO_TARGET_DIR"] / "debug" / "llm-sidecar-test-app"


def blocks(document: str) -> dict[str, str]:
    """Return the TypeScript of a document, block by block, by the command that it calls."""
    found = re.findall(r"^```typescript\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    return {re.search(r"invoke(?:<.*?>)?\('(\w+)'", block)[1]: block for block in found}  # type: ignore[index]


def pages(folder: Path, document: str) -> Path:
    """Compile the pages, with the code of the document as it stands, and return their folder."""
    modules = toolchains.node_modules(TEST_APP) / "node_modules"
    made = folder / "page"
    shutil.copytree(TEST_APP / "page", made)
    shutil.copy(TEST_APP / "tsconfig.json", folder)
    shutil.copy(TAURI / "guest-js" / "llm-sidecar.d.ts", made)
    (folder / "node_modules").symlink_to(modules)
    (made / "blocks.ts").write_text(_module(blocks(document)))
    toolchains.run(modules / ".bin" / "tsc", "--project", folder, cwd=folder)
    api = modules / "@tauri-apps" / "api"
    shutil.copytree(api / "external", made / "api" / "external")
    for name in MODULES:
        shutil.copy(api / f"{name}.js", made / "api")
    return made


def _module(found: dict[str, str]) -> str:
    functions = []
    for command, block in found.items():
        names = ", ".join(re.findall(r"^const (\w+)", block, re.MULTILINE))
        functions.append(f"{command}: async () => {{\n{block}\nreturn {{ {names} }}\n}},\n")
    return PRELUDE + "".join(functions) + "}\n"


@contextmanager
def screen() -> Iterator[str]:
    """Start an X server, and yield the name of its display."""
    told, tell = os.pipe()
    command = ["Xvfb", "-displayfd", str(tell), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(tell,), stderr=subprocess.DEVNULL)
    os.close(tell)
    try:
        with os.fdopen(told, "rb") as pipe:
            assert select.select([pipe], [], [], PATIENCE_S)[0], "the X server does not start"
            yield f":{pipe.readline().decode().strip()}"
    finally:
        server.terminate()
        server.wait()


class Window:
    """The test app, with a page and a sidecar. `mark` is in the environment of all its processes."""

    def __init__(self, page: Path, sidecar: list[str], environment: dict[str, str], mark: str) -> None:
        self.mark = f"LLM_SIDECAR_TEST={mark}".encode()
        self.process = subprocess.Popen(
            [str(app()), str(page.parent), page.name, *sidecar],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment | {"LLM_SIDECAR_TEST": mark},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def findings(self, last: str = "done") -> dict[str, Any]:
        """Return what the page reported, up to the step named."""
        assert self.process.stdout
        found: dict[str, Any] = {}
        end = time.monotonic() + PATIENCE_S
        rest = b""
        while last not in found:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"the page said nothing after {str(found)[-2500:]}"
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, f"the app ended after {list(found)}: {self._complaints()}"
            *lines, rest = (rest + data).split(b"\n")
            found |= {report["step"]: report["finding"] for report in map(json.loads, lines)}
        return found

    def sidecar(self) -> int:
        """Return the process id of the sidecar."""
        [pid] = [pid for pid in self.processes() if b"--data-dir" in _read(pid, "cmdline") and pid != self.process.pid]
        return pid

    def processes(self) -> list[int]:
        """Return the process ids of all that the app has started and that still runs, its own included."""
        ids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
        return [pid for pid in ids if self.mark in _read(pid, "environ").split(b"\0")]

    def leaves_nothing(self, within: float) -> bool:
        """Return whether all that the app has started, and that still runs, ends in time."""
        return all(host.gone(pid, within) for pid in self.processes())

    def quit(self) -> int:
        """Let the app exit as apps do, and return its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.stdin = None
        return self.process.wait(PATIENCE_S)

    def _complaints(self) -> str:
        assert self.process.stderr
        return self.process.stderr.read().decode(errors="replace")


def _read(pid: int, name: str) -> bytes:
    """Return a file of a process; a zombie's, or that of one that has gone, is empty."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def photograph(display: str, path: Path) -> int:
    """Save what is on the screen, and return the number of its colours."""
    subprocess.run(["import", "-display", display, "-window", "root", str(path)], check=True)
    count = subprocess.run(["identify", "-format", "%k", str(path)], check=True, capture_output=True, text=True)
    return int(count.stdout)
