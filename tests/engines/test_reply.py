import pytest
from httptools import HttpParserError

from sidecar.engines.reply import BARREN_BYTES, PARSER_ERRORS, Reply

HEAD = b"HTTP/1.1 200 OK\r\nX-Name:  a value \r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def fed(*pieces: bytes) -> Reply:
    reply = Reply()
    for piece in pieces:
        reply.feed(memoryview(piece))
    return reply


def test_what_one_read_holds_comes_out_as_one_piece() -> None:
    reply = fed(CHUNKED + b"2\r\nab\r\n1\r\nc\r\n")
    assert (reply.take(), reply.take(), reply.complete) == (b"abc", b"", False)


@pytest.mark.parametrize(
    "wire",
    [
        CHUNKED + b"2;note=x\r\nab\r\n1\r\nc\r\n0\r\nx-trailer: t\r\n\r\n",
        HEAD + b"content-length: 3\r\n\r\nabc",
        HEAD + b"content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n",
        HEAD.replace(b"\r", b"") + b"content-length: 3\n\nabc",
    ],
)
def test_an_answer_is_the_same_however_it_is_cut(wire: bytes) -> None:
    for size in (1, 7, len(wire)):
        reply = fed(*(wire[at : at + size] for at in range(0, len(wire), size)))
        assert (reply.status, reply.headers["x-name"], reply.take()) == (200, "a value", b"abc")
        assert (reply.complete, reply.keeps_connection) == (True, True)


def test_it_tells_whether_there_is_more() -> None:
    reply = Reply()
    pieces = (HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"2", b"\r\n", b"a", b"b", b"\r\n0\r\n", b"\r\n")
    news = [reply.feed(memoryview(piece)) for piece in pieces]
    assert news == [False, True, False, False, True, True, False, True]


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    reply = fed(HEAD + b"\r\nabc")
    before = reply.complete
    reply.end()
    assert (before, reply.complete, reply.keeps_connection, reply.take()) == (False, True, False, b"abc")


@pytest.mark.parametrize("wire", [b"", HEAD, CHUNKED + b"3\r\nab", HEAD + b"content-length: 3\r\n\r\nab"])
def test_an_answer_cut_short_is_not_complete(wire: bytes) -> None:
    reply = fed(wire) if wire else Reply()
    reply.end()
    assert not reply.complete


def test_an_answer_may_have_no_headers() -> None:
    reply = fed(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert (reply.status, reply.headers, reply.take()) == (200, {}, b"abc")


def test_a_header_may_hold_bytes_beyond_ascii() -> None:
    assert fed(b"HTTP/1.1 200 OK\r\nX: \xfc\x85b\r\nY:\r\n\r\n").headers == {"x": "\xfc\x85b", "y": ""}


@pytest.mark.parametrize("end", [b"connection: close\r\n", b""])
def test_a_connection_is_kept_as_the_server_wants(end: bytes) -> None:
    version = b"HTTP/1.1" if end else b"HTTP/1.0"
    reply = fed(HEAD.replace(b"HTTP/1.1", version) + end + b"content-length: 0\r\n\r\n")
    assert (reply.complete, reply.keeps_connection) == (True, False)


def test_one_answer_follows_another() -> None:
    reply = fed(HEAD + b"content-length: 3\r\n\r\nabc")
    reply.begin()
    assert (reply.status, reply.complete, reply.keeps_connection) == (0, False, False)
    reply.feed(memoryview(b"HTTP/1.1 201 Made\r\ncontent-length: 1\r\n\r\nd"))
    assert (reply.status, reply.headers, reply.take()) == (201, {"content-length": "1"}, b"d")


@pytest.mark.parametrize(
    "wire",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n",
        HEAD + b"content-length: -1\r\n\r\n",
        HEAD + b"content-length: 0\r\n\r\n" + HEAD,
        CHUNKED + b"xyz\r\n",
    ],
)
def test_what_is_no_answer_is_refused(wire: bytes) -> None:
    with pytest.raises(PARSER_ERRORS):
        fed(wire)


@pytest.mark.parametrize("start", [HEAD + b"x: ", CHUNKED + b"0\r\nx: ", CHUNKED + b"1;"])
def test_what_never_comes_to_a_point_is_refused(start: bytes) -> None:
    reply = fed(start)
    for _ in range(BARREN_BYTES // 1024 - 1):
        reply.feed(memoryview(b"a" * 1024))
    with pytest.raises(HttpParserError):
        reply.feed(memoryview(b"a" * 2048))


def test_small_reads_without_body_do_not_add_up_over_a_long_answer() -> None:
    reply = fed(CHUNKED)
    for _ in range(BARREN_BYTES // 3 + 1):
        for piece in (b"1\r\n", b"a", b"\r\n"):
            reply.feed(memoryview(piece))
    assert not reply.complete
