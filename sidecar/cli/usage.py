"""`llm-sidecar usage`: tells what was used, and what it cost."""

import argparse
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from sidecar.cli import failures, words
from sidecar.cli.client import CallFailed, Client
from sidecar.cli.conversation import APP
from sidecar.cli.screen import Screen, open_screen
from sidecar.cli.session import DONE, FAILED, run
from sidecar.cli.tables import aligned
from sidecar.schema.ledger import MAX_GROUPS, Grouping, UsageGroup, UsageSummary

GROUPINGS: Final = get_args(Grouping)
FILTERS: Final = ("since", "until", "tag", "provider")

COUNTS: Final = {
    "attempts": "attempts",
    "failed": "failed",
    "from cache": "cached",
    "tokens in": "input_tokens",
    "tokens out": "output_tokens",
}
"""The columns of numbers, and what is in them."""


class Options(Struct, frozen=True, kw_only=True):
    """What is asked for: of whom, by a sidecar with these flags."""

    query: dict[str, Any]
    flags: list[str]
    json: bool


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's flags."""
    flags = argparse.ArgumentParser(
        prog="llm-sidecar usage",
        description="Tells what was used and what it cost.",
        epilog="Days are written as in 2026-11-22. Exit codes: 0 told, 1 failed, 2 wrong usage, 130 Ctrl-C.",
    )
    add = flags.add_argument
    add("--since", metavar="DAY", help="the first day that counts")
    add("--until", metavar="DAY", help="the last day that counts")
    add("--by", metavar="WHAT", default="provider,model", help=f"one or several of {', '.join(GROUPINGS)}")
    add("--tag", metavar="TAG", help="only what has this tag")
    add("--provider", metavar="NAME", help="only what went to this provider")
    add("--json", action="store_true", help="print the result of usage.summary, or the error, as one line of JSON")
    add("--data-dir", metavar="DIR", help="where the sidecar's data lies, where that is not the usual place")
    add("--app-id", metavar="NAME", help="whose ledger: the name of an app; default: that of `llm-sidecar chat`")
    return flags


def parse(arguments: list[str]) -> Options:
    """Return the options; exit for wrong usage."""
    flags = parser()
    given = flags.parse_args(arguments)
    by = given.by.split(",")
    if not set(by) <= set(GROUPINGS):
        flags.error(f"--by {given.by}: choose from {', '.join(GROUPINGS)}")
    query = {name: value for name in FILTERS if (value := getattr(given, name)) is not None}
    places = {"--data-dir": given.data_dir, "--app-id": given.app_id}
    return Options(
        query=query | {"group_by": by, "limit": MAX_GROUPS},
        flags=[f"{flag}={value}" for flag, value in places.items() if value is not None],
        json=given.json,
    )


def main(arguments: list[str]) -> int:
    """Tell what the command line asks for, and return the exit code."""
    options = parse(arguments)
    screen = open_screen("none")
    return run(lambda client, _: _tell(client, options, screen), options.flags, screen)


async def _tell(client: Client, options: Options, screen: Screen) -> int:
    try:
        await client.initialize(APP)
        summary = await client.call("usage.summary", options.query, UsageSummary)
    except CallFailed as failed:
        failures.tell(failed, options, screen)
        return FAILED
    for line in words.storage(summary.storage):
        screen.alert(line)
    told = (
        msgspec.json.encode(summary).decode() if options.json else "\n".join(lines(summary, options.query["group_by"]))
    )
    screen.text(f"{told}\n")
    return DONE


def lines(summary: UsageSummary, by: list[str]) -> list[str]:
    """Return the table for people, the total in its last row."""
    if not summary.total.attempts:
        return ["Nothing was used."]
    head = [*by, *COUNTS, "cost", "saved"]
    rows = [_row(group, [getattr(group, name) or f"(no {name})" for name in by]) for group in summary.groups]
    total = _row(summary.total, ["total", *[""] * (len(by) - 1)])
    more = ["There are more groups than are shown; the total is of all."] if summary.truncated else []
    return [*aligned([head, *rows, total], left=len(by)), *more]


def _row(group: UsageGroup, names: list[str]) -> list[str]:
    counts = [f"{getattr(group, field):,}" for field in COUNTS.values()]
    savings = (group.savings.prompt_cache, group.savings.response_cache)
    return [*names, *counts, words.cost(group.cost, group.unpriced), words.money(*savings)]
