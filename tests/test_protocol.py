"""What `protocol/` says is what the sidecar does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import covered
import jsonschema_rs
import pytest
from conformance import TRANSCRIPTS, Conversation, conversation, load

from protocol import generate

PROTOCOL = Path(__file__).parents[1] / "protocol"
README = (PROTOCOL / "README.md").read_text("utf-8")
EXAMPLES = re.compile(r"^```jsonl\n(.*?)^```$", re.DOTALL | re.MULTILINE)
STEP = re.compile(r'^\| `\{"(\w+)":', re.MULTILINE)
MEASURED = frozenset({"pid", "total_ms", "first_token_ms", "duration_ms"})


def read(name: str) -> Any:
    return json.loads((PROTOCOL / name).read_bytes())


def nodes(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every object inside a document."""
    if isinstance(document, dict):
        yield document
    for inner in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from nodes(inner)


def references(document: Any) -> set[str]:
    return {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}


def test_the_generated_files_are_up_to_date() -> None:
    assert generate.stale() == [], f"run `{generate.COMMAND}`"


def test_discovery_answers_with_the_openrpc_file(tmp_path: Path) -> None:
    with conversation([], tmp_path) as talk:
        talk.do_send({"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"})
        assert talk.receive()["result"] == read("openrpc.json")


@pytest.mark.parametrize(("name", "folder"), [("schema.json", "#/$defs/"), ("openrpc.json", "#/components/schemas/")])
def test_every_reference_leads_to_a_definition(name: str, folder: str) -> None:
    document = read(name)
    definitions = document.get("$defs") or document["components"]["schemas"]
    assert references(document) == {folder + title for title in definitions if folder + title in references(document)}


def test_the_schema_is_a_json_schema() -> None:
    jsonschema_rs.meta.validate(read("schema.json"))


def test_every_tagged_union_has_a_name_and_constant_tags() -> None:
    definitions = read("schema.json")["$defs"]
    for title, definition in definitions.items():
        assert not any("discriminator" in node for inner in definition.values() for node in nodes(inner)), title
        if union := definition.get("discriminator"):
            for tag, reference in union["mapping"].items():
                member = definitions[reference.removeprefix("#/$defs/")]
                assert member["properties"][union["propertyName"]] == {"const": tag}


def test_every_definition_is_described() -> None:
    definitions = read("schema.json")["$defs"]
    assert [title for title, definition in definitions.items() if "description" not in definition] == []


def test_secrets_are_written_and_never_read() -> None:
    schema = read("schema.json")
    assert schema["$defs"]["Secret"]["writeOnly"] is True
    by_result = {row["name"]: reachable(schema, row["result"]) for row in read("meta.json")["methods"]}
    assert {name for name, types in by_result.items() if "Secret" in types} == set()


def reachable(schema: Any, title: str) -> set[str]:
    """Return the names of all definitions that a value of this type may hold."""
    found: set[str] = set()
    waiting = {title}
    while waiting:
        found |= waiting
        waiting = {
            reference.removeprefix("#/$defs/") for name in waiting for reference in references(schema["$defs"][name])
        } - found
    return found


@pytest.mark.parametrize("row", read("openrpc.json")["methods"], ids=lambda row: row["name"])
def test_the_openrpc_document_obeys_its_rules(row: dict[str, Any]) -> None:
    names = [param["name"] for param in row["params"]]
    codes = [error["code"] for error in row["errors"]]
    assert len(set(names)) == len(names)
    assert len(set(codes)) == len(codes)
    required = [param["required"] for param in row["params"]]
    assert required == sorted(required, reverse=True)
    assert row["paramStructure"] == "by-name"
    assert set(row["result"]) == {"name", "schema"}


def test_everything_that_is_promised_is_covered_by_a_transcript() -> None:
    assert [promise for promise, transcripts in covered.of_the_protocol().items() if not transcripts] == []


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_uses_documented_steps_and_its_own_name(path: Path) -> None:
    header, steps = load(path)
    readme = (PROTOCOL / "conformance" / "README.md").read_text("utf-8")
    documented = {name for name in STEP.findall(readme) if hasattr(Conversation, f"do_{name}")}
    assert header["name"] == path.stem
    assert header["description"].endswith(".")
    assert {verb for step in steps for verb in step} <= documented


def test_the_examples_of_the_readme_are_a_session_that_holds(tmp_path: Path) -> None:
    lines = [line for block in EXAMPLES.findall(README) for line in block.splitlines()]
    assert len(lines) > 20
    with conversation(["--scripted"], tmp_path) as talk:
        for line in lines:
            direction, message = line[0], json.loads(re.sub(r",?…", "", line[2:]))
            talk.play({"send": message} if direction == "→" else {"recv": loosened(message)})
        talk.play({"expect_exit": 0})


def loosened(message: Any) -> Any:
    """Return a pattern that leaves open how long things take."""
    if isinstance(message, list):
        return [loosened(inner) for inner in message]
    if not isinstance(message, dict):
        return message
    return {key: {"$min": 0} if key in MEASURED else loosened(inner) for key, inner in message.items()}
