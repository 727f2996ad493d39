"""The TypeScript client: its tests, its README's example, and every transcript played by a player of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

from conformance import TRANSCRIPTS
from host import PATIENCE_S
from launch import launcher
from probe_typescript import build
from toolchains import require, run

EXAMPLE = re.compile(r"```js\n(import .*?)```", re.DOTALL)


def test_the_tests_pass() -> None:
    run("node", "--test", "build/test/", cwd=build())


def test_the_documentation_of_the_api_is_complete_enough_to_be_built() -> None:
    run("npm", "run", "--silent", "docs", cwd=build())


def test_the_package_holds_what_it_exports_and_no_sources() -> None:
    (packed,) = json.loads(run("npm", "pack", "--dry-run", "--ignore-scripts", "--json", "--silent", cwd=build()))
    paths = {file["path"] for file in packed["files"]}
    assert {"package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"} <= paths
    assert not {path for path in paths if path.startswith("src/") or "/test" in path}


def test_the_package_has_no_dependencies() -> None:
    package = json.loads((build() / "package.json").read_text("utf-8"))
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & package.keys()


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    folder = build()
    (example,) = EXAMPLE.findall((folder / "README.md").read_text("utf-8"))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "llm-sidecar").symlink_to(folder, target_is_directory=True)
    (tmp_path / "example.mjs").write_text(example, "utf-8")
    env = {"LLM_SIDECAR": str(launcher(tmp_path))}
    assert run("node", "example.mjs", cwd=tmp_path, env=env, timeout=PATIENCE_S) == "Hello from the script.\nstop\n"


def test_the_example_of_the_readme_is_typed_by_the_package(tmp_path: Path) -> None:
    folder = build()
    (example,) = EXAMPLE.findall((folder / "README.md").read_text("utf-8"))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "llm-sidecar").symlink_to(folder, target_is_directory=True)
    (tmp_path / "example.mts").write_text(f"{example}const wrong: number = stream.id;\n", "utf-8")
    settings = ("--ignoreConfig", "--noEmit", "--strict", "--target", "es2022", "--module", "nodenext")
    types = ("--typeRoots", str(folder / "node_modules" / "@types"), "--types", "node")
    done = subprocess.run(
        [str(folder / "node_modules" / ".bin" / "tsc"), *settings, *types, "example.mts"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        timeout=PATIENCE_S,
        check=False,
    )
    (complaint,) = done.stdout.decode().splitlines()
    assert "Type 'string' is not assignable to type 'number'" in complaint


def test_every_transcript_holds_for_a_player_in_another_language() -> None:
    command = ("npm", "run", "--silent", "conformance", "--", sys.executable, "-m", "sidecar")
    output = run(*command, cwd=build(), env={"PYTHONPATH": str(build().parents[1])})
    assert output.splitlines()[-1] == f"{len(TRANSCRIPTS)} passed, 0 failed", output


def test_a_transcript_that_does_not_hold_fails() -> None:
    require("false")
    done = subprocess.run(
        ["node", "build/conformance/main.js", "false"],
        cwd=build(),
        stdout=subprocess.PIPE,
        timeout=PATIENCE_S * 4,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.decode().splitlines()[-1] == f"0 passed, {len(TRANSCRIPTS)} failed"
