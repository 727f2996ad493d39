"""The answers that come over one connection, parsed one after the other. https://www.rfc-editor.org/rfc/rfc9112"""

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

BARREN_BYTES: Final = 64 << 10
"""The most that may come in a row without a piece of body: a head, trailers, the extensions of a chunk."""

PARSER_ERRORS: Final = (HttpParserError, HttpParserUpgrade)
FINAL_STATUS: Final = 200


class Reply:
    """The current answer. `status` is 0 until its head is there; nothing comes before `begin` is called again."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self.keeps_connection = False
        self._fields: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._barren = 0
        # The parser calls these by name; no frame of Python is entered for a header or a piece of body.
        self.on_header = self._fields.__setitem__
        self.on_body = self._pieces.append
        self._parser = HttpResponseParser(self)
        # Servers and gateways that differ in these are understood by all other clients.
        self._parser.set_dangerous_leniencies(
            lenient_chunked_length=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    def begin(self) -> None:
        """Expect the next answer."""
        self.status, self.complete, self.keeps_connection, self._barren = 0, False, False, 0
        self._fields.clear()
        self._pieces.clear()

    def feed(self, data: memoryview) -> bool:
        """Take in what was received, and tell whether there is more of the answer now.

        Raise one of `PARSER_ERRORS` for what is no HTTP, too long, or was not asked for.
        """
        held, status = len(self._pieces), self.status
        self._parser.feed_data(data)
        if len(self._pieces) > held or self.status != status or self.complete:
            self._barren = 0
            return True
        self._barren += len(data)
        if self._barren > BARREN_BYTES:
            raise HttpParserError("The head does not end.")
        return False

    def end(self) -> None:
        """Note that nothing more comes; a body without a length ends with it."""
        if self.status and not {"content-length", "transfer-encoding"}.intersection(self.headers):
            self.complete = True

    def take(self) -> bytes:
        """Return the body received since the last time."""
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return data

    def on_message_begin(self) -> None:
        if self.complete:
            raise HttpParserError("Nobody asked.")

    def on_headers_complete(self) -> None:
        status, fields = self._parser.get_status_code(), self._fields
        if status >= FINAL_STATUS:
            self.headers = _texts(fields)
            if self.headers.get("transfer-encoding", "chunked").lower() != "chunked":
                raise HttpParserError("The body is encoded in a way that was not offered.")
            self.status = status
        fields.clear()

    def on_message_complete(self) -> None:
        if self.status:
            self.complete = True
            self.keeps_connection = self._parser.should_keep_alive()


def _texts(fields: dict[bytes, bytes]) -> dict[str, str]:
    """Return headers as text; no name or value holds a line feed, so all are converted in one go."""
    if not fields:
        return {}
    names = b"\n".join(fields).decode("latin-1").lower().split("\n")
    values = b"\n".join(fields.values()).decode("latin-1").split("\n")
    return dict(zip(names, map(str.rstrip, values), strict=True))
