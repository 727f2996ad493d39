"""`llm-sidecar doctor`: tells what is there, what is wrong, and what helps, without telling a secret."""

import argparse
import importlib.util
import platform
import tempfile
from pathlib import Path
from typing import Final

import anyio
import msgspec
from msgspec import Struct

from sidecar.app_files import user_directory
from sidecar.cli import failures
from sidecar.cli.checkup import Facts, Folder, Report, Runtime, Versions, in_use, lines, problems
from sidecar.cli.client import CallFailed, Client
from sidecar.cli.conversation import APP
from sidecar.cli.screen import Screen, open_screen
from sidecar.cli.session import DONE, FAILED, run
from sidecar.schema.credentials import CredentialList
from sidecar.schema.ledger import UsageSummary
from sidecar.schema.providers import ProviderInfo, ProviderList, TestResult
from sidecar.schema.session import Empty

PASSED_ON: Final = ("config", "data_dir", "app_id", "proxy", "ca_file")
"""Flags of the sidecar that bear on what is found."""

MODULES: Final = {"llama-cpp-python": "llama_cpp", "xllamacpp": "xllamacpp"}
"""The runtimes for models on this machine, and what is imported of them."""


class Options(Struct, frozen=True, kw_only=True):
    """How to look, at a sidecar with these flags."""

    flags: list[str]
    data_dir: Path
    online: bool
    json: bool


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's flags."""
    flags = argparse.ArgumentParser(
        prog="llm-sidecar doctor",
        description="Tells what is there, what is wrong, and what helps. Keys are told masked, and nothing is charged.",
        epilog="Exit codes: 0 all is well, 1 something is not, 2 wrong usage, 130 Ctrl-C.",
    )
    add = flags.add_argument
    add("--online", action="store_true", help="test the way to every provider that is set up, or is on this machine")
    add("--json", action="store_true", help="print the report, or the error, as one line of JSON")
    add("--data-dir", metavar="DIR", help="where the sidecar's data lies, where that is not the usual place")
    add("--app-id", metavar="NAME", help="whose keys and data: the name of an app; default: that of `llm-sidecar chat`")
    add("--config", metavar="FILE.toml", help="the configuration file that the app starts its sidecar with")
    add("--proxy", metavar="URL", help="the proxy, as the sidecar takes it")
    add("--ca-file", metavar="FILE.pem", help="the file of further authorities, as the sidecar takes it")
    add("--key-env", action="store_true", help="look for keys in variables such as OPENAI_API_KEY, too")
    return flags


def parse(arguments: list[str]) -> Options:
    """Return the options; exit for wrong usage."""
    given = parser().parse_args(arguments)
    named = {name: value for name in PASSED_ON if (value := getattr(given, name)) is not None}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in named.items()]
    return Options(
        flags=[*flags, "--key-env"] if given.key_env else flags,
        data_dir=Path(given.data_dir) if given.data_dir is not None else user_directory(),
        online=given.online,
        json=given.json,
    )


def main(arguments: list[str]) -> int:
    """Look, tell, and return the exit code."""
    options = parse(arguments)
    screen = open_screen("none")
    return run(lambda client, _: _look(client, options, screen), options.flags, screen)


async def _look(client: Client, options: Options, screen: Screen) -> int:
    try:
        facts = await _facts(client, options)
    except CallFailed as failed:
        failures.tell(failed, options, screen)
        return FAILED
    found = problems(facts)
    report = Report(**msgspec.structs.asdict(facts), ok=not found, problems=found)
    told = msgspec.json.encode(report).decode() if options.json else "\n".join(lines(report))
    screen.text(f"{told}\n")
    return FAILED if found else DONE


async def _facts(client: Client, options: Options) -> Facts:
    opened = await client.initialize(APP)
    folder = await anyio.to_thread.run_sync(_folder, options.data_dir)
    keychain = (await client.call("credentials.list", Empty(), CredentialList)).keychain
    storage = (await client.call("usage.summary", Empty(), UsageSummary)).storage
    listed = (await client.call("providers.list", Empty(), ProviderList)).providers
    providers = [provider for provider in listed if _matters(provider)]
    return Facts(
        versions=_versions(opened.server_info.version),
        runtimes=[_runtime(name, module) for name, module in MODULES.items()],
        data_dir=folder,
        keychain=keychain,
        storage=storage,
        providers=providers,
        tests=await _tests(client, providers) if options.online else [],
    )


def _matters(provider: ProviderInfo) -> bool:
    """Tell whether a provider is set up, or may just be there: a server on this machine that asks for no key."""
    return in_use(provider) or (provider.local and not provider.needs_key and provider.base_url is not None)


async def _tests(client: Client, providers: list[ProviderInfo]) -> list[TestResult]:
    """Return how far the way to each provider goes, in their order; none is waited for longer than for the slowest."""
    found: dict[str, TestResult] = {}

    async def test(id_: str) -> None:
        found[id_] = await client.call("providers.test", {"provider": id_}, TestResult)

    try:
        async with anyio.create_task_group() as tasks:
            for provider in providers:
                tasks.start_soon(test, provider.id)
    except* CallFailed as failed:
        raise failed.exceptions[0] from None
    return [found[provider.id] for provider in providers]


def _versions(of_the_sidecar: str) -> Versions:
    import sqlite3  # the sidecar is of this Python, and so of this SQLite

    return Versions(of_the_sidecar, platform.python_version(), sqlite3.sqlite_version, platform.platform())


def _runtime(name: str, module: str) -> Runtime:
    """Look for a runtime without loading it, which might take long, or the process down."""
    from importlib import metadata

    if importlib.util.find_spec(module) is None:
        return Runtime(name, installed=False)
    try:
        return Runtime(name, installed=True, version=metadata.version(name))
    except metadata.PackageNotFoundError:
        return Runtime(name, installed=True)


def _folder(path: Path) -> Folder:
    """Tell whether the folder, or what it would be made in, can be written, by writing a file that has no name."""
    path = path.absolute()
    present = next((folder for folder in (path, *path.parents) if folder.exists()), path)
    try:
        with tempfile.TemporaryFile(dir=present):
            return Folder(str(path))
    except OSError as error:
        return Folder(str(path), f"{present} cannot be written: {error.strerror}.")
