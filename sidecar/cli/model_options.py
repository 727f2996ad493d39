"""What the command line of `llm-sidecar models` says."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from sidecar.cli.options import LOCAL, is_file

PASSED_ON: Final = ("data_dir", "models_dir", "app_id", "proxy", "ca_file")
"""Flags of the sidecar."""
PARAMS: Final = ("provider", "model", "file", "revision", "sha256")


class Options(Struct, frozen=True, kw_only=True):
    """What is to be done with which model, by a sidecar with these flags."""

    action: str
    params: dict[str, Any]
    flags: list[str]
    json: bool
    yes: bool


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's flags."""
    flags = argparse.ArgumentParser(
        prog="llm-sidecar models",
        description="Lists, describes, fetches and deletes models.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 130 Ctrl-C.",
    )
    actions = flags.add_subparsers(dest="action", metavar="list | info | download | delete", required=True)
    for name, action in ACTIONS.items():
        own = actions.add_parser(name, help=action.help, description=f"Will {action.help}.")
        action.add_own(own)
        _add_flags(own)
    return flags


def _add_flags(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument
    add("--json", action="store_true", help="print the result, or the error, as one line of JSON")
    add("--data-dir", metavar="DIR", help="where the sidecar's data lies, where that is not the usual place")
    add("--models-dir", metavar="DIR", help="where downloaded models lie, where that is not the data folder")
    add("--app-id", metavar="NAME", help="whose keys: the name of an app; default: those of `llm-sidecar chat`")
    add("--proxy", metavar="URL", help="the proxy, as the sidecar takes it")
    add("--ca-file", metavar="FILE.pem", help="the file of further authorities, as the sidecar takes it")


def _add_list(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("--provider", metavar="ID", default=LOCAL, help="whose models; default: those on this machine")


def _add_info(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("model", metavar="MODEL|FILE.gguf", help="a model as `models list` has it, or any model file")


def _add_download(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument
    add("source", metavar="URL|REPO", help="where the file lies, or the repository of the hub, as owner/name")
    add("file", metavar="FILE.gguf", nargs="?", help="the file in the repository; of several parts any one")
    add("--sha256", metavar="HEX", help="what the file must have; otherwise the hub's word is taken")
    add("--revision", metavar="NAME", help="the branch, tag or commit of the repository; default: main")


def _add_delete(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("model", metavar="MODEL", help="a model as `models list` has it")
    flags.add_argument("--yes", action="store_true", help="do not ask")


def parse(arguments: list[str]) -> Options:
    """Return the options; exit for wrong usage."""
    flags = parser()
    given = vars(flags.parse_args(arguments))
    if given["action"] == "download" and ("://" in given["source"]) == (given["file"] is not None):
        flags.error("name either a URL, or a repository and a file in it")
    named = [(name, given[name]) for name in PASSED_ON if given[name] is not None]
    return Options(
        action=given["action"],
        params=_params(given),
        flags=["--key-env", *(f"--{name.replace('_', '-')}={value}" for name, value in named)],
        json=given["json"],
        yes=given.get("yes", False),
    )


def _params(given: dict[str, Any]) -> dict[str, Any]:
    params = {name: given[name] for name in PARAMS if given.get(name) is not None}
    if is_file(params.get("model", "")):
        params["model"] = str(Path(params["model"]).absolute())
    if source := given.get("source"):
        params["url" if "://" in source else "repo"] = source
    return params


class Action(Struct, frozen=True):
    """What can be done, and the flags that only this takes."""

    help: str
    add_own: Callable[[argparse.ArgumentParser], None]


ACTIONS: Final = {
    "list": Action("tell which models there are, on this machine or at a provider", _add_list),
    "info": Action("tell all about a model on this machine, and whether it fits", _add_info),
    "download": Action("fetch a model file; a download that broke off goes on where it was", _add_download),
    "delete": Action("delete a model that was downloaded", _add_delete),
}
