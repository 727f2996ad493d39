"""The types of the Python client."""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from protocol.generate.model import Alias, Choice, Declaration, Enumeration, Protocol, Record, Ref, Union
from protocol.generate.python_records import Records
from protocol.generate.python_text import HEADER, alias, call, constant, deeper, note, stacked

IMPORTS: Final = """\
from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

from msgspec import UNSET, Raw, Struct, UnsetType, field
from msgspec.structs import force_setattr

from llm_sidecar.encoding import Arms, Unknown, hide, share_defaults
"""


def text(protocol: Protocol) -> str:
    """Return the module of the types."""
    return _Types(protocol).text()


class _Types:
    """Writes the module of types: enumerations, records, and then the unions of these."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._records = Records(protocol)

    def text(self) -> str:
        found = self._protocol.declarations
        open_unions = [union for union in found if isinstance(union, Union) and union.open]
        head = [
            f'{HEADER}\n"""The types of the protocol."""\n\n{IMPORTS}',
            f"PROTOCOL_VERSION: Final = {self._protocol.version}\n",
        ]
        body = [
            *(_enumeration(declared) for declared in found if isinstance(declared, Enumeration)),
            *(self._records.write(declared) for declared in found if isinstance(declared, Record)),
            *self._aliases(found),
            *map(_arms, open_unions),
        ]
        return "\n".join(head) + stacked(body)

    def _aliases(self, found: Iterable[Declaration]) -> Iterator[str]:
        for declared in sorted(found, key=lambda declared: not isinstance(declared, Union)):
            match declared:
                case Union():
                    yield _union(declared)
                case Choice():
                    yield self._choice(declared)
                case Alias(secret=False):
                    yield alias(declared.name, self._records.type(declared.type), declared.doc)

    def _choice(self, choice: Choice) -> str:
        options = [self._records.type(option) for option in choice.options]
        if not self._has_lone_arm(choice):
            return alias(choice.name, options, choice.doc)
        # A lone tagged type would be read without its tag, too; beside another one it is not.
        never = f"_No{choice.name}"
        return (
            f'class {never}(Struct, tag=""):\n    """Nothing: it makes the tag required."""\n\n\n'
            f"if TYPE_CHECKING:\n{deeper(alias(choice.name, options, choice.doc))}"
            f"else:\n    {choice.name} = {' | '.join([*options, never])}\n"
        )

    def _has_lone_arm(self, choice: Choice) -> bool:
        found = (self._protocol.find(option.name) for option in choice.options if isinstance(option, Ref))
        return any(isinstance(arm, Record) and arm.tag for arm in found)


def _enumeration(declared: Enumeration) -> str:
    values = [json.dumps(value) for value in declared.values]
    if not declared.open:
        return _literal(declared.name, values) + note(declared.doc)
    known = _literal(f"Known{declared.name}", values)
    return (
        f"{known}if TYPE_CHECKING:\n    {declared.name}: TypeAlias = Known{declared.name} | str\n"
        f"{deeper(note(declared.doc + ' Others may come.'))}else:\n    {declared.name} = str\n"
    )


def _literal(name: str, values: list[str]) -> str:
    return call(f"{name}: TypeAlias = Literal", values, brackets="[]") + "\n"


def _union(union: Union) -> str:
    arms = [name for _, name in union.arms]
    if not union.open:
        return alias(union.name, arms, union.doc)
    known = alias(f"Known{union.name}", arms, f"{union.doc} The arms that this client knows.")
    checked = f"if TYPE_CHECKING:\n    _{union.name}: TypeAlias = {union.name}\nelse:\n    _{union.name} = Raw\n"
    return known + alias(union.name, [f"Known{union.name}", "Unknown"], f"{union.doc} Others may come.") + checked


def _arms(union: Union) -> str:
    tags = ", ".join(f'"{tag}"' for tag, _ in union.arms)
    arguments = [f"Known{union.name}", f'"{union.field}"', f"frozenset({{{tags}}})"]
    return call(f"{constant(union.name)}: Final = Arms[Known{union.name}]", arguments) + "\n"
