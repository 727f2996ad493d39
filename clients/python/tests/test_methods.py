"""The generated methods: each is there, under its name."""

from inspect import iscoroutinefunction
from typing import get_args

import pytest

from llm_sidecar import Options, errors, methods, start_sidecar
from llm_sidecar.protocol import KnownErrorType

IN_NAMESPACES = [name for name in methods.METHODS if "." in name]


@pytest.mark.parametrize("name", IN_NAMESPACES)
def test_each_method_stands_in_its_namespace(name: str) -> None:
    namespace, _, member = name.partition(".")
    method = getattr(getattr(start_sidecar(Options()), namespace), member)
    assert iscoroutinefunction(method) is (name != "chat.stream")


def test_each_known_error_type_is_in_the_table() -> None:
    assert set(get_args(KnownErrorType)) == set(methods.ERRORS)


@pytest.mark.parametrize(
    "kind", [errors.NOT_FOUND, errors.CLOSED, errors.INVALID, errors.CANCELLED, errors.STALLED, errors.VERSION]
)
def test_the_clients_own_errors_have_the_codes_of_the_table(kind: errors.Kind) -> None:
    assert kind.code == methods.ERRORS[kind.type].code
    assert kind.category == methods.ERRORS[kind.type].category
