"""The tables of README.md: `python tests/readme.py` writes them anew."""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

from sidecar import settings
from sidecar.cli import doctor, model_options, options, usage
from sidecar.methods.table import METHODS
from sidecar.providers import PROVIDERS
from sidecar.providers.record import Provider

README = Path(__file__).parents[1] / "README.md"
COMMAND = "make protocol"


def with_tables(text: str) -> str:
    """Return the text with a fresh table between each `<!-- NAME -->` and `<!-- /NAME -->`."""
    for name, table in _tables().items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text, count = marked.subn(lambda found, table=table: f"{found[1]}{table}{found[2]}", text)
        assert count == 1, name
    return text


def _tables() -> dict[str, str]:
    return {
        "methods": _table(("method", "what it does"), ((f"`{row.name}`", row.summary) for row in METHODS)),
        "providers": _table(
            ("provider", "for", "address", "key from, with `--key-env`"),
            (_provider(provider) for provider in PROVIDERS.values()),
        ),
        "flags": _table(("flag", "meaning"), _flags(settings.parser())),
        "chat-flags": _table(("flag", "meaning"), _flags(options.parser())),
        "models-flags": _table(("command", "flag", "meaning"), _model_flags()),
        "doctor-flags": _table(("flag", "meaning"), _flags(doctor.parser())),
        "usage-flags": _table(("flag", "meaning"), _flags(usage.parser())),
    }


def _provider(provider: Provider) -> tuple[str, ...]:
    address = provider.base_url or ("`base_url`" if provider.engine == "http" else "this machine")
    return f"`{provider.id}`", provider.name, address, f"`{provider.key_env}`" if provider.key_env else ""


def _flags(parser: argparse.ArgumentParser) -> Iterable[tuple[str, str]]:
    for action in parser._actions:
        names = ", ".join(action.option_strings) or action.dest.upper()
        yield f"`{names}{_value(action)}`", action.help or ""


def _model_flags() -> Iterable[tuple[str, ...]]:
    """Yield what each command about models takes, then what all of them take."""
    *_, commands = model_options.parser()._actions
    flags = {name: list(_flags(parser)) for name, parser in dict(commands.choices or {}).items()}
    common = [flag for flag in flags["list"] if all(flag in own for own in flags.values())]
    yield from ((f"`{name}`", *flag) for name, own in flags.items() for flag in own if flag not in common)
    yield from (("all", *flag) for flag in common)


def _value(action: argparse.Action) -> str:
    if action.nargs == 0 or not action.option_strings:
        return ""
    return f" {action.metavar or '|'.join(action.choices or ())}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8", newline="\n")
