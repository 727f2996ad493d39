"""The documents in `protocol/`, as they follow from the sidecar's own tables."""

import ast
import inspect
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from sidecar.methods import discovery
from sidecar.schema.errors import ERRORS
from sidecar.schema.session import Limits

FOLDER: Final = Path(__file__).parents[1]


def files() -> dict[Path, str]:
    """Return the documents and their contents."""
    readme = FOLDER / "README.md"
    return {
        FOLDER / "openrpc.json": _json(msgspec.to_builtins(discovery.openrpc())),
        FOLDER / "schema.json": _json(discovery.schema()),
        FOLDER / "meta.json": _json(discovery.meta()),
        readme: with_tables(readme.read_text("utf-8")),
    }


def with_tables(text: str) -> str:
    """Return the text with a fresh table between each `<!-- NAME -->` and `<!-- /NAME -->`."""
    for name, table in _tables().items():
        before, rest = text.split(f"<!-- {name} -->\n")
        _, after = rest.split(f"<!-- /{name} -->")
        text = f"{before}<!-- {name} -->\n{table}<!-- /{name} -->{after}"
    return text


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _tables() -> dict[str, str]:
    meta = discovery.meta()
    return {
        "methods": _table(("method", "params", "result", "what it does"), _method_rows(meta)),
        "errors": _table(
            ("type", "code", "category", "retryable", "meaning"),
            (
                (f"`{kind.type}`", str(kind.code), kind.category, "yes" if kind.retryable else "no", kind.meaning)
                for kind in ERRORS.values()
            ),
        ),
        "limits": _table(("limit", "default", "meaning"), _limit_rows()),
    }


def _method_rows(meta: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    for row in meta["methods"]:
        marks = [mark for mark, flag in (("B", row["batchable"]), ("I", row["before_initialize"])) if flag]
        note = f" ({', '.join(marks)})" if marks else ""
        yield f"`{row['name']}`{note}", f"`{row['params']}`", f"`{row['result']}`", row["summary"]


def _limit_rows() -> Iterable[tuple[str, ...]]:
    """Yield each limit with the sentence below it in the source, which no object holds at run time."""
    (body,) = ast.parse(inspect.getsource(Limits)).body
    assert isinstance(body, ast.ClassDef)
    defaults = msgspec.to_builtins(Limits())
    for field, meaning in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(meaning, ast.Expr)
            assert isinstance(meaning.value, ast.Constant)
            yield f"`{field.target.id}`", f"{defaults[field.target.id]:,}", str(meaning.value.value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
