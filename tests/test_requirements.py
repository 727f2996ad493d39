"""What a release consists of: locked with hashes, listed for machines, and neither apart from what is asked for."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
HINT = "run `make locked`"

Locked = dict[str, tuple[Requirement, frozenset[str]]]


def locked() -> Locked:
    """Return each requirement of the release with its hashes, by name."""
    text = (ROOT / "requirements" / "release.txt").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = [
        (Requirement(line.partition(" --hash=")[0]), re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
        for line in lines
    ]
    return {canonicalize_name(one.name): (one, frozenset(hashes)) for one, hashes in found}


def asked_for() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [Requirement(line) for line in [*project["dependencies"], *extras["local"], *extras["bundle"]]]


def listed() -> Any:
    return json.loads((ROOT / "requirements" / "release.cdx.json").read_text("utf-8"))


def version(requirement: Requirement) -> str:
    (exact,) = requirement.specifier
    assert exact.operator == "=="
    return exact.version


@pytest.mark.parametrize("requirement", asked_for(), ids=lambda requirement: requirement.name)
def test_what_is_asked_for_is_locked_at_a_version_that_fits(requirement: Requirement) -> None:
    assert canonicalize_name(requirement.name) in locked(), HINT
    pinned, _ = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version(pinned)), HINT


def test_everything_locked_has_hashes_and_one_version() -> None:
    assert [name for name, (pinned, hashes) in locked().items() if not hashes or not version(pinned)] == []


def test_what_the_locked_packages_need_is_locked_too() -> None:
    packages, missing = locked(), []
    for name in packages:
        try:
            needs = [Requirement(line) for line in metadata.requires(name) or ()]
        except metadata.PackageNotFoundError:
            continue  # of another system
        here = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
        missing += [f"{name}: {need.name}" for need in here if canonicalize_name(need.name) not in packages]
    assert missing == [], HINT


def test_the_list_for_machines_names_the_same_packages_versions_and_hashes() -> None:
    document = listed()
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "llm-sidecar")
    told = {
        component["purl"]: frozenset(
            one["content"] for reference in component["externalReferences"] for one in reference["hashes"]
        )
        for component in document["components"]
    }
    assert told == {f"pkg:pypi/{name}@{version(pinned)}": hashes for name, (pinned, hashes) in locked().items()}, HINT


def test_the_list_for_machines_tells_who_needs_whom() -> None:
    document = listed()
    project, parts = document["metadata"]["component"], document["components"]
    needs = {row["ref"]: set(row.get("dependsOn", ())) for row in document["dependencies"]}
    assert set(needs) == {part["bom-ref"] for part in [project, *parts]}
    reached, waiting = set[str](), {project["bom-ref"]}
    while waiting:
        reached |= waiting
        waiting = set().union(*(needs[ref] for ref in waiting)) - reached
    assert reached == set(needs)
