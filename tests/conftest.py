"""Settings of the whole suite."""

import os

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # how long an example takes says more of the machine than of it
settings.load_profile("patient")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _fail_if_skipped(report)


@pytest.hookimpl(tryfirst=True)
def pytest_collectreport(report: pytest.CollectReport) -> None:
    _fail_if_skipped(report)


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a skip a failure where `SIDECAR_CI` is set: there, whatever a test needs is installed."""
    if os.environ.get("SIDECAR_CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but SIDECAR_CI is set: {report.longrepr}"
