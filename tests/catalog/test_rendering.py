import pytest

from sidecar.catalog.prices import DATA, table
from sidecar.catalog.rendering import NAMES, SOURCE, files

COMMAND = "python -m sidecar.catalog.rendering"


def test_there_is_a_table_for_each_provider_and_no_other() -> None:
    assert {path.stem for path in DATA.glob("*.json")} == set(NAMES)


@pytest.mark.parametrize("kind", NAMES)
def test_the_tables_are_what_the_library_says(kind: str) -> None:
    if table(kind).source != SOURCE:
        pytest.skip(f"rendered from {table(kind).source}, but {SOURCE} is installed: run `{COMMAND}`")
    path = DATA / f"{kind}.json"
    assert path.read_text("utf-8") == files()[path], f"{path.name} is out of date: run `{COMMAND}`"
