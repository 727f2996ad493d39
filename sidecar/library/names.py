"""Which names model files may have here: such as every file system takes, and that lead nowhere else. Pure."""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from sidecar.engines.llama.parts import PART, parts_of, stem_of
from sidecar.schema.errors import SidecarError

MAX_NAME: Final = 200
MAX_SEGMENTS: Final = 4
"""Folders in a repository, the file itself included."""
SUFFIX: Final = ".gguf"
NAME: Final = re.compile(r"[A-Za-z0-9_(\[][A-Za-z0-9_()\[\]{}+=@~,.' -]*")
RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])\s*(\..*)?", re.IGNORECASE)
"""https://learn.microsoft.com/windows/win32/fileio/naming-a-file"""


def is_name(name: str) -> bool:
    """Tell whether a file or folder may have this name."""
    plain = len(name) <= MAX_NAME and NAME.fullmatch(name) and not name.endswith((".", " "))
    return bool(plain) and not RESERVED.fullmatch(name)


def is_model(name: str) -> bool:
    """Tell whether a file with this name holds a model, or part of one."""
    return name.lower().endswith(SUFFIX)


def checked_path(path: str, param: str) -> str:
    """Return a relative path to a model file, or raise `invalid_params`."""
    segments = path.split("/")
    if len(segments) > MAX_SEGMENTS or not all(map(is_name, segments)) or not is_model(path):
        message = "A model file must have a plain name that ends in .gguf."
        raise SidecarError("invalid_params", message, param=param)
    return path


def checked_repo(repo: str) -> str:
    """Return the name of a repository, or raise `invalid_params`."""
    names = repo.split("/")
    if len(names) != len(("owner", "name")) or not all(map(is_name, names)):
        raise SidecarError("invalid_params", "A repository has a name such as owner/name.", param="repo")
    return repo


def name_in(url: str) -> str:
    """Return the name of the file that lies at a URL, or raise `invalid_params`."""
    return checked_path(unquote(urlsplit(url).path.rpartition("/")[2]), "url")


def all_parts(path: str, param: str) -> list[str]:
    """Return all files of the model that a file belongs to, or raise `invalid_params` for parts that make no sense."""
    parts = parts_of(path)
    if len(parts) == 1 and (found := PART.fullmatch(path)) and int(found["count"]) != 1:
        raise SidecarError("invalid_params", "There is no such part of a model.", param=param)
    return parts


def model_of(path: str) -> str:
    """Return the id of the model that a file belongs to: its path without the suffix and the number of the part."""
    return stem_of(path)
