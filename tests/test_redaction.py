"""A secret is hidden by its value, whatever form it was repeated in."""

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.redaction import redacted

KEY = 'sk-Canary/+"\\<&=1234567890~'
PLAIN = "sk-proj-Abcdefgh12345678"
FORMS = {
    "as it is": PLAIN,
    "quoted": f'"{PLAIN}"',
    "in capitals": PLAIN.upper(),
    "in small letters": PLAIN.lower(),
    "with odd characters": KEY,
    "as JSON": json.dumps(KEY),
    "as JSON within JSON": json.dumps(json.dumps(KEY)),
    "as JSON with a slash escaped": KEY.replace("\\", "\\\\").replace("/", "\\/"),
    "as JSON in escapes alone": "".join(f"\\u{ord(one):04x}" for one in KEY),
    "as JSON in large escapes": "".join(f"\\u{ord(one):04X}" for one in KEY),
    "as a string of bytes": "".join(f"\\x{ord(one):02x}" for one in KEY),
    "in a URL": quote(KEY, safe=""),
    "in a form": quote_plus(KEY),
    "in a URL, in small letters": quote(KEY, safe="").lower(),
    "in a URL, every character": "".join(f"%{ord(one):02X}" for one in KEY),
    "in a URL within a URL": quote(quote(KEY, safe=""), safe=""),
    "as HTML": KEY.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
    "as HTML by numbers": "".join(f"&#{ord(one)};" for one in KEY),
    "as HTML by hexadecimal numbers": "".join(f"&#x{ord(one):X};" for one in KEY),
    "in hex": KEY.encode().hex(),
    "in large hex": KEY.encode().hex().upper(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("around", [("", ""), ("Invalid key: ", ", says the server."), ("İ%41\\u0041", "\ud800 é…")])
def test_a_secret_is_hidden_and_nothing_else(form: str, around: tuple[str, str]) -> None:
    found = redacted(form.join(around), [PLAIN, KEY])
    assert found.strip('"\\').replace('"***', "***").count("***") == 1
    assert found.startswith(around[0])
    assert found.endswith(around[1])
    assert "anary" not in found.lower()
    assert "bcdefgh" not in found.lower()
    assert len(found) <= len("".join(around)) + len('\\"***\\"') + 4


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "a", "me", "Bearer ", "Authorization: Bearer ", "user:"])
@pytest.mark.parametrize("behind", ["", "x", '"}'])
def test_a_secret_within_base64_is_hidden(encode: object, before: str, behind: str) -> None:
    assert callable(encode)
    for key in (PLAIN, "sk?>~~?>ÿ-canary"):
        whole = encode(f"{before}{key}{behind}".encode()).decode()
        for told in (whole, quote(whole, safe="")):
            found = redacted(f"no such login: {told}", [key])
            assert "***" in found
            left = found.removeprefix("no such login: ").replace("***", "")
            assert len(left) <= 4 * len(before + behind) / 3 + 2 * len("%3D%3D") + 4


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=8), st.text(), st.text())
@settings(max_examples=150, deadline=None)
def test_whatever_is_around_a_secret_it_is_not_left(key: str, before: str, behind: str) -> None:
    for form in (key, json.dumps(key)[1:-1], quote(key, safe="")):
        assert form.lower() not in redacted(f"{before}{form}{behind}", [key]).lower().replace("***", "\n" * 3)


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_text_without_secrets_is_left_alone(text: str) -> None:
    assert redacted(text, ["\x00 not in there \x00" * 2]) == text


def test_a_secret_that_holds_another_is_hidden_whole() -> None:
    for keys in ([PLAIN, PLAIN + "-and-more"], [PLAIN + "-and-more", PLAIN]):
        assert redacted(f"<{PLAIN}-and-more>", keys) == "<***>"


@pytest.mark.parametrize("kept", range(12, len(PLAIN)))
@pytest.mark.parametrize("mark", ["", "…"])
def test_what_a_cut_left_of_a_secret_is_hidden(kept: int, mark: str) -> None:
    assert redacted(f"no such key: {PLAIN[:kept]}{mark}", [PLAIN]) == f"no such key: ***{mark}"


def test_a_vendors_prefix_is_no_secret() -> None:
    assert redacted("Keys begin with sk-proj-", [PLAIN]) == "Keys begin with sk-proj-"


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (f"Bearer {PLAIN}", PLAIN),
        (f"token  {PLAIN}", PLAIN),
        ("Basic " + base64.b64encode(b"me:canary-password").decode(), "canary-password"),
        ("Basic " + base64.b64encode(b"me:canary-password").decode(), base64.b64encode(b"me:canary-password").decode()),
    ],
)
def test_the_secret_within_a_header_is_hidden_without_its_scheme(header: str, part: str) -> None:
    assert redacted(f"[{part}]", [header]) == "[***]"


def test_words_of_other_headers_are_not_hidden() -> None:
    assert redacted("The assistant is busy.", ["Focus assistant", "Basic not-base64!"]) == "The assistant is busy."


def test_a_secret_that_looks_escaped_is_hidden_where_it_is_escaped() -> None:
    key = 'sk-%41&amp;\\u0041"-canary'
    for form in (json.dumps(key)[1:-1], quote(key, safe=""), key.replace("&", "&amp;").replace('"', "&quot;")):
        assert redacted(f"<{form}>", [key]) == "<***>"


@pytest.mark.parametrize("before", ["%", "%4", "50 %", "\\x", "\\u00", "\\u004"])
def test_what_stands_before_an_escaped_secret_hides_none_of_it_but_two_characters(before: str) -> None:
    for key in ("ab/canary+1234567890==", "1/canary+1234567890=="):
        found = redacted(f"<{before}{quote(key, safe='')}>", [key])
        assert (found[-4:], "anary" in found, len(found) <= len(f"<{before}ab***>")) == ("***>", False, True)


def test_what_is_longer_in_small_letters_moves_nothing() -> None:
    assert redacted(f"&#304;İ&#304; {PLAIN} &#304;", [PLAIN]) == "&#304;İ&#304; *** &#304;"


def test_nothing_is_hidden_of_no_secret() -> None:
    assert redacted("as it was", ["", ""]) == "as it was"


@pytest.mark.parametrize(
    "text",
    ["lorem ipsum ", "%41%42", "\\u0041", "%252525", "sk-proj-", "a", "%", "\\", "&#65;", "İ"],
)
def test_a_large_error_and_many_keys_take_a_moment(text: str) -> None:
    keys = [f"sk-proj-{number:040d}" for number in range(200)]
    large = (text * (1 << 16))[: 1 << 16]
    assert redacted(large, keys) == large
    started = time.process_time()
    redacted(large, keys)
    assert time.process_time() - started < 2.0
