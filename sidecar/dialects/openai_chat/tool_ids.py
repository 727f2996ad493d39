"""Tool call ids for servers that take nine letters or digits only."""

from binascii import crc32
from string import ascii_lowercase, digits
from typing import Final

LENGTH: Final = 9
ALPHABET: Final = digits + ascii_lowercase


def nine_characters(call_id: str) -> str:
    """Return `call_id` if it will do, or else an id that is always the same for it."""
    if len(call_id) == LENGTH and call_id.isascii() and call_id.isalnum():
        return call_id
    data = call_id.encode(errors="surrogatepass")
    number = crc32(data) << 32 | crc32(data[::-1])
    return "".join(ALPHABET[number // len(ALPHABET) ** place % len(ALPHABET)] for place in range(LENGTH))
