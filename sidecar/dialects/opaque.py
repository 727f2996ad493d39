"""Provider data that goes back unchanged to where it came from, and nowhere else."""

from typing import TypeVar

import msgspec
from msgspec import Raw

from sidecar.dialects.contract import Aim
from sidecar.dialects.report import Report
from sidecar.schema.chat import Opaque
from sidecar.schema.errors import SidecarError

T = TypeVar("T")


def own(opaque: Opaque | None, aim: Aim, report: Report) -> Raw | None:
    """Return the data as JSON if it came from this very model; report it where it stays behind."""
    if opaque is None:
        return None
    if opaque.origin != aim.origin or "opaque" in aim.lacks:
        report.opaque_dropped()
        return None
    try:
        return msgspec.json.decode(opaque.data, type=Raw)
    except msgspec.DecodeError as error:
        raise SidecarError("invalid_params", "The `data` of an `opaque` member is not JSON.") from error


def own_as(kind: type[T], opaque: Opaque | None, aim: Aim, report: Report) -> T | None:
    """Return the data as `own` does, decoded; report data of another form, too."""
    data = own(opaque, aim, report)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError:
        report.opaque_dropped()
        return None
