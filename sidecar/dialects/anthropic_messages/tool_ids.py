"""Tool call ids of up to 64 letters, digits, `_` and `-`."""

import re
from binascii import crc32
from typing import Final

_SAFE: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def safe_id(call_id: str) -> str:
    """Return `call_id` if it will do, or else an id that is always the same for it."""
    if _SAFE.fullmatch(call_id):
        return call_id
    data = call_id.encode(errors="surrogatepass")
    return f"toolu_{crc32(data):08x}{crc32(data[::-1]):08x}"
