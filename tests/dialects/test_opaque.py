"""Provider data that goes back to where it came from."""

import msgspec
import pytest
from msgspec import Raw

from sidecar.dialects.contract import Aim
from sidecar.dialects.opaque import own, own_as
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.report import Report
from sidecar.schema.chat import Opaque, Origin
from sidecar.schema.errors import SidecarError

HERE = Origin("here", "https://llm.test/v1", "m-1")
AIM = Aim(provider="here", kind="kind", model="m-1", origin=HERE, quirks=ChatQuirks())


@pytest.mark.parametrize(
    "origin",
    [
        Origin("there", HERE.endpoint, HERE.model),
        Origin(HERE.provider, "https://other.test", HERE.model),
        Origin(HERE.provider, HERE.endpoint, "m-2"),
    ],
)
def test_opaque_data_of_another_origin_stays_behind(origin: Origin) -> None:
    report = Report("warn")
    assert own(Opaque('"sig"', origin), AIM, report) is None
    assert [warning.type for warning in report.warnings] == ["opaque_dropped"]


def test_opaque_data_goes_back_to_its_origin_byte_by_byte() -> None:
    report, data = Report("error"), '{"b": 1.50,"a":[1e3, "\\u00e9"]}'
    assert own(Opaque(data, HERE), AIM, report) == Raw(data.encode())
    assert own(None, AIM, report) is None
    assert report.warnings == ()


def test_opaque_data_stays_behind_where_the_provider_refused_it() -> None:
    report = Report("warn")
    aim = msgspec.structs.replace(AIM, lacks=frozenset({"opaque"}))
    assert own(Opaque('"sig"', HERE), aim, report) is None
    assert len(report.warnings) == 1


@pytest.mark.parametrize("data", ["", "{", '"a" "b"', "sig"])
def test_opaque_data_must_be_json(data: str) -> None:
    with pytest.raises(SidecarError) as caught:
        own(Opaque(data, HERE), AIM, Report("warn"))
    assert caught.value.type == "invalid_params"


def test_opaque_data_of_another_form_stays_behind() -> None:
    report = Report("warn")
    assert own_as(str, Opaque('"sig"', HERE), AIM, report) == "sig"
    assert report.warnings == ()
    assert own_as(str, Opaque("1", HERE), AIM, report) is None
    assert len(report.warnings) == 1
