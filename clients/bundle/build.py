#!/usr/bin/env python
"""Builds the sidecar as a folder that needs no Python, for an app to ship: `make bundle`. https://pyinstaller.org"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
NAME: Final = "llm-sidecar"
SUFFIX: Final = ".exe" if sys.platform == "win32" else ""
RUNTIMES: Final = ("none", "xllamacpp", "llama-cpp-python")

MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
SYSTEMS: Final = {"Windows": "pc-windows-msvc", "Darwin": "apple-darwin", "Linux": "unknown-linux-gnu"}


def main() -> None:
    """Build what the command line asks for, and say where it is and how large."""
    options = parser().parse_args()
    signing = {"--codesign-identity": options.codesign_identity, "--entitlements": options.entitlements}
    folder = build(options.runtime, options.out, signing)
    single = name_for_tauri(folder)
    sys.stdout.write(f"{folder}: {megabytes(folder):.0f} MB\n{single}: its executable, by the name Tauri asks for\n")


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runtime", choices=RUNTIMES, default="xllamacpp", help="what runs model files, if anything")
    options.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    options.add_argument("--codesign-identity", metavar="NAME", help="macOS: who signs, for the hardened runtime")
    options.add_argument("--entitlements", metavar="FILE", default=str(HERE / "entitlements.plist"), help="macOS")
    return options


def build(runtime: str, out: Path, signing: dict[str, str | None]) -> Path:
    """Build the bundle with a runtime for local models into `out`, and return its folder."""
    given = [word for flag, value in signing.items() if value is not None for word in (flag, value)]
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "--workpath", work]
        command += ["--distpath", str(out), str(HERE / f"{NAME}.spec"), "--", "--runtime", runtime, *given]
        run(*command, env=os.environ | {"PYINSTALLER_CONFIG_DIR": work})
    strip_python(out / NAME)
    return out / NAME


def strip_python(folder: Path) -> None:
    """Take the debugging symbols out of Python's library, which may be three quarters of it."""
    if sys.platform.startswith("linux") and (strip := shutil.which("strip")):
        for library in (folder / "_internal").glob("libpython*.so*"):
            run(strip, "--strip-unneeded", str(library))


def name_for_tauri(folder: Path) -> Path:
    """Put the executable beside the folder as well, as `externalBin` of Tauri wants to find it, and return its path."""
    single = folder.with_name(f"{NAME}-{target_triple()}{SUFFIX}")
    shutil.copy2(folder / f"{NAME}{SUFFIX}", single)
    return single


def target_triple() -> str:
    """Return the name of this platform in Rust's words: rustc's own, where it is installed."""
    if rustc := shutil.which("rustc"):
        told = subprocess.check_output([rustc, "-vV"], text=True)  # noqa: S603 - found on the path
        return next(line.removeprefix("host: ") for line in told.splitlines() if line.startswith("host: "))
    machine = platform.machine().lower()
    return f"{MACHINES.get(machine, machine)}-{SYSTEMS[platform.system()]}"


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run a tool that must succeed."""
    subprocess.run(command, env=env, check=True)  # noqa: S603 - the words are ours


def megabytes(folder: Path) -> float:
    """Return the size of all files in a folder, in millions of bytes."""
    return sum(os.lstat(file).st_size for file in folder.rglob("*") if not file.is_dir()) / 1e6


if __name__ == "__main__":
    main()
