import pytest

from sidecar.providers.origins import host_and_port, is_loopback, is_private_channel, origin_of
from sidecar.schema.errors import SidecarError


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com"),
        ("HTTPS://API.OpenAI.com:443/v1/", "https://api.openai.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://127.0.0.1:11434/v1?x=1#y", "http://127.0.0.1:11434"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("https://[FE80::1]", "https://[fe80::1]"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin
    assert origin_of(origin) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.openai.com/v1",
        "localhost:11434",
        "//api.openai.com",
        "ftp://api.openai.com",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://:443",
        "https://api.openai.com:0",
        "https://api.openai.com:99999",
        "https://api.openai.com:x",
        "https://user@api.openai.com",
        "https://api.openai.com@evil.example",
        "https://@evil.example",
        "https://api.openai.com\\@evil.example",
        "https://api.openai.com /v1",
        "https://api.openai.com\r\n/v1",
        " https://api.openai.com",
        "https://\N{CYRILLIC SMALL LETTER A}pi.openai.com",
        "https://[::1",
    ],
)
def test_what_does_not_name_one_server_has_no_origin(url: str) -> None:
    with pytest.raises(SidecarError) as caught:
        origin_of(url)
    assert caught.value.type == "invalid_params"


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost.", "app.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(f"http://{host}:8080/v1")


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "10.0.0.1",
        "192.168.1.2",
        "[::2]",
        "localhost.example",
        "127.0.0.1.example",
        "2130706433",
        "0x7f.1",
        "127.1",
    ],
)
def test_any_other_machine_is_not(host: str) -> None:
    assert not is_loopback(f"http://{host}/")


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://api.openai.com", True),
        ("HTTPS://api.openai.com", True),
        ("http://localhost:1", True),
        ("http://api.openai.com", False),
    ],
)
def test_a_channel_is_private_when_encrypted_or_local(url: str, *, private: bool) -> None:
    assert is_private_channel(url) is private


def test_a_port_is_the_schemes_own_unless_given() -> None:
    assert [host_and_port(url) for url in ("http://A", "https://a", "https://a:8443/x")] == [
        ("a", 80),
        ("a", 443),
        ("a", 8443),
    ]
