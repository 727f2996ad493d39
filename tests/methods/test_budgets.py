from types import SimpleNamespace
from typing import Any, cast

import pytest
from caller import Caller

from sidecar.methods.session import initialize
from sidecar.schema.budgets import MAX_BUDGETS
from sidecar.schema.errors import SidecarError
from sidecar.schema.session import ClientInfo, InitializeParams

pytestmark = pytest.mark.anyio


async def test_a_budget_is_set_changed_and_removed(caller: Caller) -> None:
    answers = [await caller.call("budgets.set", id="b", **fields) for fields in ({"amount": "1"}, {"amount": "2"}, {})]
    assert [[budget["amount"] for budget in answer["budgets"]] for answer in answers] == [["1"], ["2"], []]
    assert answers[-1] == await caller.call("budgets.list") == {"budgets": [], "storage": {"state": "memory"}}


async def test_a_budget_holds_at_once(caller: Caller) -> None:
    caller.begin("budgets.set", id="b", amount="1").close()
    assert [budget["id"] for budget in (await caller.call("budgets.list"))["budgets"]] == ["b"]


async def test_there_are_only_so_many(caller: Caller) -> None:
    for number in range(MAX_BUDGETS):
        await caller.call("budgets.set", id=str(number), amount="1")
    with pytest.raises(SidecarError, match="100 budgets"):
        await caller.call("budgets.set", id="one more", amount="1")
    assert len((await caller.call("budgets.list"))["budgets"]) == MAX_BUDGETS


async def test_policies_are_prepared_when_the_session_has_begun(caller: Caller) -> None:
    services = caller._router._services
    request = SimpleNamespace(connection=SimpleNamespace(initialized=False), after_reply=[])
    initialize(services, InitializeParams(protocol_version=1, client_info=ClientInfo("app")), cast("Any", request))
    assert request.after_reply == [services.prepare]
