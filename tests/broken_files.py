"""Ways in which the database file can be of no use."""

import os
import sqlite3
from pathlib import Path


def garbage(path: Path) -> None:
    path.write_bytes(b"What is this? " * 999)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
