"""What declarations are made of."""

from collections.abc import Iterable, Iterator

from protocol.generate.model import Choice, Declaration, List, Map, Protocol, Record, Ref, Type, Union


def reached(protocol: Protocol, names: Iterable[str]) -> list[Declaration]:
    """Return what the names stand for, and all that it is made of; each after its parts."""
    return list(_reached(protocol, names, set()))


def _reached(protocol: Protocol, names: Iterable[str], seen: set[str]) -> Iterator[Declaration]:
    for name in names:
        if name not in seen:
            seen.add(name)
            declaration = protocol.find(name)
            yield from _reached(protocol, _parts(declaration), seen)
            yield declaration


def _parts(declaration: Declaration) -> list[str]:
    match declaration:
        case Record(fields=fields):
            return [name for field in fields for name in _names(field.type)]
        case Union(arms=arms):
            return [arm for _, arm in arms]
        case Choice(options=options):
            return [name for option in options for name in _names(option)]
        case _:
            return []


def _names(kind: Type) -> list[str]:
    match kind:
        case Ref(name):
            return [name]
        case List(of) | Map(of):
            return _names(of)
        case _:
            return []
