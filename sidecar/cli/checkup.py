"""What `llm-sidecar doctor` finds out: facts, what of them is wrong, and the lines that tell people."""

from typing import Final

from msgspec import Struct

from sidecar.cli.tables import aligned
from sidecar.cli.words import KEYCHAIN_PROBLEMS
from sidecar.schema.credentials import KeychainState
from sidecar.schema.ledger import StorageState
from sidecar.schema.providers import ProviderInfo, TestResult, TestStage

INDENT: Final = "  "


class Versions(Struct, frozen=True):
    """What runs here."""

    sidecar: str
    python: str
    sqlite: str
    platform: str


class Runtime(Struct, frozen=True):
    """What may run models on this machine; `version` is null where that cannot be told."""

    name: str
    installed: bool
    version: str | None = None


class Folder(Struct, frozen=True):
    """Where the data of all apps lies, and what keeps it from being written."""

    path: str
    problem: str | None = None


class Problem(Struct, frozen=True, omit_defaults=True):
    """What is wrong where, and what helps."""

    where: str
    problem: str
    hint: str | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """What there is. `tests` are those of `--online`."""

    versions: Versions
    runtimes: list[Runtime]
    data_dir: Folder
    keychain: KeychainState
    storage: StorageState
    providers: list[ProviderInfo]
    tests: list[TestResult] = []


class Report(Facts, frozen=True, kw_only=True):
    """The facts, and what of them is wrong."""

    ok: bool
    problems: list[Problem]


def in_use(provider: ProviderInfo) -> bool:
    """Tell whether somebody set the provider up; of all others it is no fault that they do not answer."""
    return provider.configured or provider.key.source != "none"


def problems(facts: Facts) -> list[Problem]:
    """Return what is wrong."""
    found: list[Problem] = []
    keychain, storage = facts.keychain, facts.storage
    if facts.data_dir.problem:
        found.append(Problem("data", facts.data_dir.problem, "Name another folder with --data-dir."))
    if keychain.state in KEYCHAIN_PROBLEMS:
        found.append(Problem("keychain", f"{KEYCHAIN_PROBLEMS[keychain.state]}.", keychain.hint))
    if storage.problem:
        found.append(Problem("storage", storage.problem, storage.hint))
    used = {provider.id for provider in facts.providers if in_use(provider)}
    return found + [_fault(test) for test in facts.tests if not test.ok and test.provider in used]


def _fault(test: TestResult) -> Problem:
    last = test.stages[-1]
    return Problem(test.provider, _failure(last), last.hint)


def _failure(stage: TestStage) -> str:
    return f"failed at {stage.stage}: {stage.error.message if stage.error else 'no reason is known'}"


def lines(report: Report) -> list[str]:
    """Return the report for people, what is wrong in its last lines."""
    versions = report.versions
    about = [
        ["versions", f"llm-sidecar {versions.sidecar}, Python {versions.python}, SQLite {versions.sqlite}"],
        ["platform", versions.platform],
        ["runtimes", ", ".join(map(_runtime, report.runtimes))],
        ["data", report.data_dir.path],
        ["keychain", " ".join(filter(None, [report.keychain.state, report.keychain.backend]))],
        ["storage", report.storage.state],
    ]
    tests = [[test.provider, _outcome(test)] for test in report.tests]
    return [
        *aligned(about, left=2),
        *_section("providers", [_row(provider) for provider in report.providers if in_use(provider)]),
        *_section("tests", tests),
        *(line for problem in report.problems for line in _told(problem)),
        *([] if report.problems else ["All is well."]),
    ]


def _section(title: str, rows: list[list[str]]) -> list[str]:
    return [title, *(INDENT + line for line in aligned(rows, left=len(rows[0])))] if rows else []


def _row(provider: ProviderInfo) -> list[str]:
    key = " ".join(filter(None, [provider.key.source, provider.key.masked]))
    return [provider.id, f"key: {key}", provider.model or "", provider.base_url or ""]


def _outcome(test: TestResult) -> str:
    if not test.ok:
        return _failure(test.stages[-1])
    return "ok: " + ", ".join(f"{stage.stage} {stage.ms} ms" for stage in test.stages)


def _runtime(runtime: Runtime) -> str:
    return f"{runtime.name} {(runtime.version or 'installed') if runtime.installed else 'not installed'}"


def _told(problem: Problem) -> list[str]:
    hint = [f"hint: {problem.hint}"] if problem.hint else []
    return [f"problem: {problem.where}: {problem.problem}", *hint]
