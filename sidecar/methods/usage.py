"""`usage.summary`."""

from collections.abc import Awaitable
from datetime import date
from typing import Final

from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.errors import SidecarError
from sidecar.schema.ledger import UsageQuery, UsageSummary


def summary(services: Services, params: UsageQuery, request: Request) -> Awaitable[UsageSummary]:
    """Tell what was used, and what it cost."""
    del request
    days = [_checked(day) for day in (params.since, params.until) if day is not None]
    if days != sorted(days):
        raise SidecarError("invalid_params", f"{params.since} is later than {params.until}.")
    return services.policies().ledger.summary(params)


def _checked(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise SidecarError("invalid_params", f"There is no day {day}.") from None


METHODS: Final = (
    Method(
        name="usage.summary",
        summary="Tells what was used and what it cost, by provider, model, tag, day or month.",
        params=UsageQuery,
        result=UsageSummary,
        handler=summary,
    ),
)
