"""`llm-sidecar keys`: saves, lists and deletes the keys in the system's keychain, and shows none of them whole."""

import argparse
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from sidecar.cli import failures, unseen, words
from sidecar.cli.client import CallFailed, Client
from sidecar.cli.conversation import APP
from sidecar.cli.screen import Screen, open_screen
from sidecar.cli.session import DONE, FAILED, INTERRUPTED, run
from sidecar.cli.tables import aligned
from sidecar.schema.credentials import (
    CredentialInfo,
    CredentialList,
    CredentialState,
    Deleted,
    KeychainState,
    SavedCredential,
)
from sidecar.schema.session import Empty

PATIENCE: Final = "--limit=keychain_ms=60000"
"""How long a person may take to type a password into the keychain's dialog."""

UNKNOWN: Final = "?"
KEY_AS_ARGUMENT: Final = "a key is never an argument: it is asked for, or read as a line of stdin"


class Options(Struct, frozen=True, kw_only=True):
    """What is to be done, with which key of which app, by a sidecar with these flags."""

    action: str
    choice: dict[str, str]
    flags: list[str]
    app: str
    json: bool

    @property
    def subject(self) -> str:
        """What the key is for, in words."""
        base_url = self.choice.get("base_url")
        return self.choice["provider"] + (f" for {base_url}" if base_url else "")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's flags."""
    flags = argparse.ArgumentParser(
        prog="llm-sidecar keys",
        description="Saves, lists and deletes API keys in the system's keychain. No key is ever shown whole.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 130 Ctrl-C.",
    )
    actions = flags.add_subparsers(dest="action", metavar="set | list | delete", required=True)
    for name, action in ACTIONS.items():
        _add_flags(actions.add_parser(name, help=action.help, description=f"Will {action.help}."), action)
    return flags


def _add_flags(flags: argparse.ArgumentParser, action: "Action") -> None:
    add = flags.add_argument
    if action.method != "credentials.list":
        add("provider", metavar="PROVIDER", help="openai, anthropic, google … as providers.list has them")
        add("--base-url", metavar="URL", help="the server that the key is for, where it is not the provider's own")
    add("--json", action="store_true", help=f"print the result of {action.method}, or the error, as one line of JSON")
    add("--data-dir", metavar="DIR", help="where the sidecar's data lies, where that is not the usual place")
    add("--app-id", metavar="NAME", help="whose keys: the name of an app; default: those of `llm-sidecar chat`")


def parse(arguments: list[str]) -> Options:
    """Return the options; exit for wrong usage, without repeating what may be a key."""
    flags = parser()
    given, unknown = flags.parse_known_args(arguments)
    if unknown:
        flags.error(KEY_AS_ARGUMENT if given.action == "set" else f"unrecognized arguments: {' '.join(unknown)}")
    places = {"--data-dir": given.data_dir, "--app-id": given.app_id}
    choice = {name: value for name in ("provider", "base_url") if (value := getattr(given, name, None)) is not None}
    return Options(
        action=given.action,
        choice=choice,
        flags=[PATIENCE, *(f"{flag}={value}" for flag, value in places.items() if value is not None)],
        app=given.app_id or APP.name,
        json=given.json,
    )


def main(arguments: list[str]) -> int:
    """Do what the command line asks for, and return the exit code."""
    options = parse(arguments)
    screen = open_screen("brief" if sys.stderr.isatty() else "none")
    params: dict[str, str] = dict(options.choice)
    if options.action == "set":
        try:
            params["api_key"] = unseen.read(f"API key of {options.subject} (not shown): ")
        except unseen.NothingRead as nothing:
            screen.alert(str(nothing))
            return FAILED
        except KeyboardInterrupt:
            screen.alert("")
            return INTERRUPTED
    return run(lambda client, _: _do(client, options, params, screen), options.flags, screen)


async def _do(client: Client, options: Options, params: dict[str, str], screen: Screen) -> int:
    action = ACTIONS[options.action]
    try:
        await client.initialize(APP)
        screen.status("asking the keychain")
        result = await client.call(action.method, params, action.result)
        told = [msgspec.json.encode(result).decode()] if options.json else await action.tell(client, options, result)
    except CallFailed as failed:
        failures.tell(failed, options, screen)
        return FAILED
    if isinstance(result, CredentialList):
        for line in words.keychain(result.keychain):
            screen.alert(line)
    screen.text("".join(f"{line}\n" for line in told))
    return FAILED if result == Deleted(deleted=False) else DONE


class _Listed(Struct):
    """As much of `providers.list` as is told here."""

    keychain: KeychainState


async def _tell_saved(client: Client, options: Options, saved: SavedCredential) -> list[str]:
    keychain = (await client.call("providers.list", Empty(), _Listed)).keychain
    return [
        f"The key {saved.masked} of {saved.provider} is kept in {keychain.backend}, under the name {options.app}.",
        "It is sent to nobody but:",
        *(f"  {origin}" for origin in saved.origins),
    ]


async def _tell_listed(client: Client, options: Options, listed: CredentialList) -> list[str]:
    if not listed.credentials:
        return [f"There are no keys under the name {options.app}."]
    rows = [row for info in listed.credentials for row in await _rows(client, info, listed.keychain)]
    return aligned([["provider", "key", "sent to"], *rows], left=3)


async def _rows(client: Client, info: CredentialInfo, keychain: KeychainState) -> list[list[str]]:
    """Return a row for each server; a keychain that would not give the keys is not asked for them again."""
    if keychain.state != "ok":
        return [[info.provider, UNKNOWN, origin] for origin in info.origins]
    return [[info.provider, await _mask(client, info.provider, origin), origin] for origin in info.origins]


async def _mask(client: Client, provider: str, origin: str) -> str:
    choice = {"provider": provider, "base_url": origin}
    return (await client.call("credentials.get", choice, CredentialState)).masked or UNKNOWN


async def _tell_deleted(client: Client, options: Options, deleted: Deleted) -> list[str]:
    del client
    return [f"The key of {options.subject} {'is deleted' if deleted.deleted else 'does not exist'}."]


class Action(Struct, frozen=True):
    """A method, and the words for what came of it."""

    method: str
    result: type[Any]
    help: str
    tell: Callable[[Client, Options, Any], Awaitable[list[str]]]


ACTIONS: Final = {
    "set": Action(
        "credentials.save",
        SavedCredential,
        "save a key, which is asked for without echo, or read as a line of stdin",
        _tell_saved,
    ),
    "list": Action(
        "credentials.list", CredentialList, "tell which keys there are, and how the keychain is", _tell_listed
    ),
    "delete": Action(
        "credentials.delete", Deleted, "delete a provider's keys, or the one for --base-url", _tell_deleted
    ),
}
