"""What failed is told in words; what is no fault of the file is not."""

import sqlite3
from errno import EACCES, EDQUOT, ENOSPC, ENOTDIR

import pytest

from sidecar.storage import faults
from sidecar.storage.faults import Fault, NewerFileError, fault_of


def failed(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("for machines")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (failed(sqlite3.SQLITE_FULL), faults.FULL),
        (failed(sqlite3.SQLITE_BUSY), faults.HELD),
        (failed(sqlite3.SQLITE_BUSY_SNAPSHOT), faults.HELD),
        (failed(sqlite3.SQLITE_IOERR_WRITE), faults.BROKEN),
        (failed(sqlite3.SQLITE_READONLY_DIRECTORY), faults.CLOSED),
        (failed(sqlite3.SQLITE_CANTOPEN), faults.CLOSED),
        (failed(sqlite3.SQLITE_CORRUPT), faults.DAMAGED),
        (failed(sqlite3.SQLITE_NOTADB), faults.DAMAGED),
        (OSError(ENOSPC, "x"), faults.FULL),
        (OSError(EDQUOT, "x"), faults.FULL),
        (OSError(EACCES, "x"), faults.CLOSED),
        (OSError(ENOTDIR, "x"), faults.CLOSED),
        (NewerFileError(), faults.NEWER),
    ],
    ids=str,
)
def test_faults_of_the_file(error: Exception, fault: Fault) -> None:
    assert fault_of(error) is fault


@pytest.mark.parametrize(
    "error", [failed(sqlite3.SQLITE_ERROR), failed(sqlite3.SQLITE_CONSTRAINT), sqlite3.ProgrammingError(), KeyError()]
)
def test_defects_are_none(error: Exception) -> None:
    assert fault_of(error) is None


def test_the_table_names_the_codes_of_sqlite() -> None:
    names = "PERM BUSY LOCKED READONLY IOERR CORRUPT FULL CANTOPEN PROTOCOL AUTH NOTADB"
    assert set(faults.BY_CODE) == {getattr(sqlite3, f"SQLITE_{name}") for name in names.split()}
