"""What goes wrong on the way to a server and back, as errors that a client can act on."""

import ssl
from collections.abc import Iterator
from socket import gaierror
from typing import Final

from sidecar.schema.errors import SidecarError

CONNECT_ERRORS: Final = (OSError, UnicodeError)
"""What opening a connection raises; names that cannot be encoded for a look-up among it."""

CLOCK: Final = "Check the clock of this computer, or tell whoever runs the server."
OTHER_NAME: Final = "Check the host name in base_url."
COMPANY_PROXY: Final = (
    "If a proxy reads along, or the server is your own, start the sidecar with its authority as --ca-file."
)
NO_TLS: Final = "Check the port, or use http:// in base_url if the server has no encryption."
OWN_SERVER: Final = "If the server is your own, start the sidecar with its certificate as --ca-file."

EXPIRED: Final = ("has an expired certificate", CLOCK)
MISNAMED: Final = ("has a certificate for another name", OTHER_NAME)
UNKNOWN_AUTHORITY: Final = ("has a certificate of an unknown authority", COMPANY_PROXY)
REVOKED: Final = ("has a certificate that was revoked", "Tell whoever runs the server.")
TOO_WEAK: Final = ("has a certificate that is too weak to be trusted", "Tell whoever runs the server.")

NOT_TRUSTED: Final = {
    # As in OpenSSL's x509_vfy.h; https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
    9: ("has a certificate that is not valid yet", CLOCK),
    10: EXPIRED,
    18: ("has a self-signed certificate", OWN_SERVER),
    19: ("has a certificate that ends in an unknown root", COMPANY_PROXY),
    20: UNKNOWN_AUTHORITY,
    21: UNKNOWN_AUTHORITY,
    23: REVOKED,
    62: MISNAMED,
    64: ("has a certificate for other addresses", "Use the server's name in base_url, not its address."),
    66: TOO_WEAK,
    67: TOO_WEAK,
    68: TOO_WEAK,
    # As in the SecBase.h of macOS.
    -67602: MISNAMED,
    -67818: EXPIRED,
    -67820: REVOKED,
    -67843: UNKNOWN_AUTHORITY,
    # As in the winerror.h of Windows.
    0x800B0101: EXPIRED,
    0x800B0109: UNKNOWN_AUTHORITY,
    0x800B010A: UNKNOWN_AUTHORITY,
    0x800B010C: REVOKED,
    0x800B010F: MISNAMED,
    0x80092010: REVOKED,
}
PLAIN_SERVER: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})

REFUSALS: Final = {
    "HANDSHAKE_FAILURE": ("refused the TLS handshake: no kind of encryption suits both", "The server needs an update."),
    "PROTOCOL_VERSION": ("speaks no version of TLS that is safe", "The server needs an update."),
    "UNSUPPORTED_PROTOCOL": ("speaks no version of TLS that is safe", "The server needs an update."),
    "UNRECOGNIZED_NAME": ("has no certificate for the name that it was asked by", OTHER_NAME),
}
"""How the reasons end for which there is no handshake."""

BROKEN_OFF: Final = (ConnectionResetError, ConnectionAbortedError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was made from."""
    while error is not None:
        yield error
        inner = error.args[0] if error.args else None
        error = inner if isinstance(inner, BaseException) else error.__cause__


class NotTls(SidecarError):  # noqa: N818 - what is the case
    """The server speaks something else than TLS."""

    def __init__(self, host: str) -> None:
        super().__init__("tls", f"{host} does not speak TLS on this port.", hint=NO_TLS)


def tls_failure(error: ssl.SSLError, host: str) -> SidecarError:
    """Name the reason why no trusted connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason, hint = NOT_TRUSTED.get(error.verify_code, ("has a certificate that could not be verified", None))
        return SidecarError("tls", f"{host} {reason}.", hint=hint)
    if error.reason in PLAIN_SERVER:
        return NotTls(host)
    for reason, (what, hint) in REFUSALS.items():
        if (error.reason or "").endswith(reason):
            return SidecarError("tls", f"{host} {what}.", hint=hint)
    return SidecarError("tls", f"No trusted connection to {host} could be made.")


def connect_failure(error: BaseException, host: str) -> SidecarError:
    """Say at which step a connection failed."""
    for cause in _causes(error):
        if isinstance(cause, (gaierror, UnicodeError)):
            hint = "Check the host name and the internet connection."
            return SidecarError("dns", f"The name {host} could not be resolved.", hint=hint)
        if isinstance(cause, ssl.SSLError):
            return tls_failure(cause, host)
        if isinstance(cause, BROKEN_OFF):  # by the time that TCP is through
            hint = "Does it speak TLS on this port? Something on the way may also forbid it."
            return SidecarError("connect", f"{host} broke off the TLS handshake.", hint=hint)
    return SidecarError("connect", f"{host} could not be reached.")


def elsewhere(host: str) -> SidecarError:
    """Say that a request that may not leave this machine would have."""
    return SidecarError("privacy_blocked", f"{host} is not on this machine, so it was sent nothing.")


def unsendable() -> SidecarError:
    """Say that a header cannot be sent, without showing it."""
    return SidecarError("invalid_params", "The API key or a header holds a character that cannot be sent.")


def no_answer(host: str) -> SidecarError:
    """Say that a server closed its connection instead of answering."""
    return SidecarError("connect", f"{host} closed the connection without an answer.")


def no_http(host: str) -> SidecarError:
    """Say that what came is no answer."""
    return SidecarError("malformed_response", f"The answer of {host} is not HTTP.", hint="Check the port in base_url.")


def answer_failure(host: str) -> SidecarError:
    """Say that an answer broke off."""
    return SidecarError("stream_interrupted", f"The connection to {host} was lost before the answer was complete.")
