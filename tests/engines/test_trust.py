"""Whose certificates are trusted, and what is told of those that are not: real TLS, straight and through a proxy."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import tunnel
import upstream

from sidecar.engines.failures import CLOCK, COMPANY_PROXY, NO_TLS, OTHER_NAME, OWN_SERVER, tls_failure
from sidecar.engines.network import HttpTransport
from sidecar.engines.transport import Outgoing
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio

NAME = "api.example"
ANSWER = upstream.answer(b"sealed")


def authority(folder: Path) -> Path:
    return upstream.certificate(folder, "Authority of the tests")


def of_an_authority(folder: Path) -> Path:
    return upstream.certificate(folder, issuer=authority(folder))


def with_chain(folder: Path) -> Path:
    """Return a certificate that comes with that of its unknown authority."""
    root = authority(folder)
    leaf = upstream.certificate(folder, issuer=root)
    leaf.write_bytes(leaf.read_bytes() + root.read_bytes().partition(b"-----BEGIN PRIVATE")[0])
    return leaf


async def failure(transport: HttpTransport, url: str) -> tuple[str, str, str | None]:
    with pytest.raises(SidecarError) as caught:
        async with transport.open(Outgoing(url=url, headers={}, body=b"{}")):
            pass
    await transport.close()
    return caught.value.type, caught.value.message, caught.value.details.get("hint")


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (upstream.certificate, "has a self-signed certificate.", OWN_SERVER),
        (of_an_authority, "has a certificate of an unknown authority.", COMPANY_PROXY),
        (with_chain, "has a certificate that ends in an unknown root.", COMPANY_PROXY),
    ],
)
async def test_a_stranger_is_not_trusted(tmp_path: Path, make: Callable[[Path], Path], message: str, hint: str) -> None:
    async with upstream.serve(ANSWER, upstream.tls_context(make(tmp_path))) as server:
        assert await failure(HttpTransport(), server.url) == ("tls", f"localhost:{server.port} {message}", hint)
        assert server.requests == []


@pytest.mark.parametrize(
    ("name", "days", "message", "hint"),
    [
        ("localhost", -1, "has an expired certificate.", CLOCK),
        ("localhost", 5, "has a certificate that is not valid yet.", CLOCK),
        ("elsewhere.example", 1, "has a certificate for another name.", OTHER_NAME),
    ],
)
async def test_a_trusted_authority_does_not_help_a_wrong_certificate(
    tmp_path: Path, name: str, days: int, message: str, hint: str
) -> None:
    root = authority(tmp_path)
    pem = upstream.certificate(tmp_path, name, days, issuer=root)
    async with upstream.serve(ANSWER, upstream.tls_context(pem)) as server:
        told = await failure(HttpTransport(ca_file=root), server.url)
    assert told == ("tls", f"localhost:{server.port} {message}", hint)


async def test_a_server_of_an_authority_in_the_file_is_trusted(tmp_path: Path) -> None:
    root = authority(tmp_path)
    transport = HttpTransport(ca_file=root)
    pem = upstream.certificate(tmp_path, issuer=root)
    async with upstream.serve(ANSWER, upstream.tls_context(pem)) as server:
        async with transport.open(Outgoing(url=server.url, headers={})) as answer:
            assert await answer.read(100) == b"sealed"
        await transport.close()


async def test_authorities_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    gone = tmp_path / "gone.pem"
    assert await failure(HttpTransport(ca_file=gone), "https://localhost:1") == (
        "tls",
        "The certificates of the trusted authorities could not be read.",
        f"Check {gone} and SSL_CERT_FILE.",
    )


async def answer_to_hello(data: bytes) -> tuple[str, str, str | None]:
    """Return what is told of a server that answers a handshake with `data` and hangs up."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(5)
        await reader.readexactly(int.from_bytes(head[3:], "big"))
        writer.write(data)
        writer.close()

    async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        kind, message, hint = await failure(HttpTransport(), f"https://127.0.0.1:{port}")
    return kind, message.removeprefix(f"127.0.0.1:{port} "), hint


@pytest.mark.parametrize(
    ("alert", "message", "hint"),
    [
        (40, "refused the TLS handshake: no kind of encryption suits both.", "The server needs an update."),
        (70, "speaks no version of TLS that is safe.", "The server needs an update."),
        (112, "has no certificate for the name that it was asked by.", OTHER_NAME),
    ],
)
async def test_a_handshake_that_is_refused_is_told_with_its_cause(alert: int, message: str, hint: str) -> None:
    """The alerts are those of https://www.rfc-editor.org/rfc/rfc8446#section-6.2."""
    assert await answer_to_hello(bytes([21, 3, 3, 0, 2, 2, alert])) == ("tls", message, hint)


async def test_a_server_that_hangs_up_in_the_handshake_is_said_to() -> None:
    hint = "Does it speak TLS on this port? Something on the way may also forbid it."
    assert await answer_to_hello(b"") == ("connect", "broke off the TLS handshake.", hint)


async def test_a_server_that_speaks_something_else_is_said_to() -> None:
    told = await answer_to_hello(b"SSH-2.0-OpenSSH_9.9\r\n")
    assert told == ("tls", "does not speak TLS on this port.", NO_TLS)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (21, "a certificate of an unknown authority."),
        (23, "a certificate that was revoked."),
        (68, "a certificate that is too weak to be trusted."),
        (-67602, "a certificate for another name."),
        (-67843, "a certificate of an unknown authority."),
        (0x800B0101, "an expired certificate."),
        (0x800B010F, "a certificate for another name."),
        (12345, "a certificate that could not be verified."),
    ],
)
def test_the_numbers_of_every_system_have_words(code: int, message: str) -> None:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_code = code
    assert tls_failure(error, NAME).message == f"{NAME} has {message}"


async def test_a_file_of_authorities_counts_behind_a_proxy_too(tmp_path: Path) -> None:
    root = authority(tmp_path)
    pem = upstream.certificate(tmp_path, NAME, issuer=root)
    async with upstream.serve(ANSWER, upstream.tls_context(pem)) as server, tunnel.serve(server.port) as proxy:
        transport = HttpTransport(proxy.url, root)
        await transport.secure(f"https://{NAME}/v1")
        async with transport.open(Outgoing(url=f"https://{NAME}/v1/x", headers={})) as answer:
            assert await answer.read(100) == b"sealed"
        await transport.close()
        assert [(request.method, request.path) for request in server.requests] == [("GET", "/"), ("GET", "/v1/x")]
        assert set(proxy.asked) == {f"CONNECT {NAME}:443 HTTP/1.1"}


@pytest.mark.parametrize(
    ("name", "days", "message"),
    [
        (NAME, -1, "has an expired certificate."),
        ("elsewhere.example", 1, "has a certificate for another name."),
        (NAME, 1, "has a certificate of an unknown authority."),
    ],
)
async def test_behind_a_proxy_a_certificate_is_looked_at_as_well(
    tmp_path: Path, name: str, days: int, message: str
) -> None:
    root = authority(tmp_path)
    pem = upstream.certificate(tmp_path, name, days, issuer=root)
    trusted = None if message.endswith("authority.") else root
    async with upstream.serve(ANSWER, upstream.tls_context(pem)) as server, tunnel.serve(server.port) as proxy:
        told = await failure(HttpTransport(proxy.url, trusted), f"https://{NAME}/v1")
        assert told[:2] == ("tls", f"{NAME} {message}")
        with pytest.raises(SidecarError, match=message):
            await HttpTransport(proxy.url, trusted).secure(f"https://{NAME}/v1")
        assert server.requests == []


async def test_a_proxy_that_is_down_is_what_a_diagnosis_names() -> None:
    transport = HttpTransport("http://127.0.0.1:1")
    with pytest.raises(SidecarError) as caught:
        await transport.reach("https://api.example")
    assert (caught.value.type, caught.value.message) == (
        "proxy",
        "The proxy is the trouble: 127.0.0.1:1 could not be reached.",
    )
