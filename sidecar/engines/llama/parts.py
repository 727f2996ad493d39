"""The names of the files that a large model is split into. Pure.

https://github.com/ggml-org/llama.cpp/blob/master/tools/gguf-split/README.md
"""

import re
from typing import Final

MAX_PARTS: Final = 512
PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.gguf)", re.IGNORECASE)


def parts_of(name: str) -> list[str]:
    """Return the names of all parts of the model that a file belongs to; of a model in one file that one."""
    found = PART.fullmatch(name)
    if found is None or not 1 <= int(found["number"]) <= int(found["count"]) <= MAX_PARTS:
        return [name]
    count = int(found["count"])
    return [f"{found['stem']}-{number:05}-of-{count:05}{found['suffix']}" for number in range(1, count + 1)]


def stem_of(name: str) -> str:
    """Return what all parts of a model are called, without their suffix."""
    found = PART.fullmatch(name)
    return found["stem"] if found else name.rpartition(".")[0]
