"""Whom a question is to be asked, one after the other."""

from collections.abc import Iterable
from functools import partial

from msgspec import Struct

from sidecar.handler import Candidate
from sidecar.schema.chat import ChatRequest, Warning
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.policies import Fallback, Privacy
from sidecar.targets.privacy import ANYWHERE, check_question
from sidecar.targets.targets import Choice, Targets


class Chain(Struct, frozen=True):
    """Whom a question is aimed at, whom to ask instead, and who of those was left out.

    `first` is the choice as a candidate, where there are others.
    """

    choice: Choice
    first: Candidate | None = None
    others: tuple[Candidate, ...] = ()
    warnings: tuple[Warning, ...] = ()


def chain_of(targets: Targets, request: ChatRequest) -> Chain:
    """Return whom `request` may be asked, as things stand.

    Raise what keeps the first from being asked where there is nobody else, and `provider_not_found` for whoever else
    the request itself names.
    """
    check_question(request)
    privacy = request.privacy or ANYWHERE
    first = targets.look_up(request.provider, request.model, privacy)
    wanted = first.instance.fallback() if request.fallback is None else request.fallback
    others: list[Candidate] = []
    warnings: list[Warning] = []
    for fallback in wanted:
        choice = _other(targets, fallback, privacy)
        if isinstance(choice, Choice):
            others.append(_candidate(targets, choice, fallback.on))
        elif choice.type == "provider_not_found" and request.fallback is not None:
            raise choice
        else:
            warnings.append(_left_out(fallback, choice))
    if first.problem and not others:
        raise first.problem
    return Chain(first, _candidate(targets, first) if others else None, tuple(others), tuple(warnings))


def _candidate(targets: Targets, choice: Choice, on: Iterable[ErrorType] = ()) -> Candidate:
    return Candidate(target=targets.outline(choice), on=frozenset(on), resolve=partial(targets.resolve, choice))


def _other(targets: Targets, fallback: Fallback, privacy: Privacy) -> Choice | SidecarError:
    try:
        choice = targets.look_up(fallback.provider, fallback.model, privacy)
    except SidecarError as error:
        return error
    return choice.problem or choice


def _left_out(fallback: Fallback, error: SidecarError) -> Warning:
    message = f'"{fallback.provider}" is not asked instead: {error.message}'
    return Warning("fallback_unavailable", message, "fallback")
