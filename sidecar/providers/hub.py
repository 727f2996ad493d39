"""Where models lie for everybody to fetch. https://huggingface.co/docs/hub/models-downloading"""

import os
from typing import Final
from urllib.parse import quote

HUB: Final = "https://huggingface.co"
ADDRESS_VARIABLE: Final = "HF_ENDPOINT"
"""Names another server of the same kind, such as a company's mirror."""

KEY_NAME: Final = "huggingface"
"""What a key for the hub is saved under; models that ask for consent need one."""
KEY_VARIABLE: Final = "HF_TOKEN"

KEY_HINT: Final = (
    "Some models are only for those who agreed to their terms. Do that on the model's page, then save your key "
    f'with credentials.save for "{KEY_NAME}" and base_url "{HUB}".'
)

DIGEST_HEADER: Final = "x-linked-etag"
"""The SHA-256 of a large file, told by the answer that points to where it lies."""


def hub() -> str:
    """Return the address of the hub."""
    return (os.environ.get(ADDRESS_VARIABLE) or HUB).rstrip("/")


def file_url(repo: str, file: str, revision: str) -> str:
    """Return where a file of a repository lies."""
    return f"{hub()}/{repo}/resolve/{quote(revision, safe='')}/{quote(file)}"
