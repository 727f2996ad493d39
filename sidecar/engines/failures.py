"""What goes wrong on the way to a server and back, as errors that a client can act on."""

import ssl
from collections.abc import Iterator
from socket import gaierror
from typing import Final

from sidecar.schema.errors import SidecarError

CONNECT_ERRORS: Final = (OSError, UnicodeError)
"""What opening a connection raises; names that cannot be encoded for a look-up among it."""

COMPANY_PROXY: Final = "A proxy that reads along needs its own certificate to be trusted here."

# Numbers as in OpenSSL's x509_vfy.h; https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
NOT_TRUSTED: Final = {
    9: ("has a certificate that is not valid yet", "Check the clock of this computer."),
    10: ("has an expired certificate", "Check the clock of this computer, or tell whoever runs the server."),
    18: ("has a self-signed certificate", "Have the sidecar trust the server's certificate."),
    19: ("has a certificate that ends in an unknown root", COMPANY_PROXY),
    20: ("has a certificate of an unknown authority", COMPANY_PROXY),
    62: ("has a certificate for another name", "Check the host name in base_url."),
    64: ("has a certificate for other addresses", "Use the server's name in base_url, not its address."),
}
PLAIN_SERVER: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was made from."""
    while error is not None:
        yield error
        inner = error.args[0] if error.args else None
        error = inner if isinstance(inner, BaseException) else error.__cause__


def tls_failure(error: ssl.SSLError, host: str) -> SidecarError:
    """Name the reason why no trusted connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason, hint = NOT_TRUSTED.get(error.verify_code, ("has a certificate that could not be verified", None))
        return SidecarError("tls", f"{host} {reason}.", hint=hint)
    if error.reason in PLAIN_SERVER:
        return SidecarError("tls", f"{host} does not speak TLS on this port.", hint="Use http:// in base_url.")
    return SidecarError("tls", f"No trusted connection to {host} could be made.")


def connect_failure(error: BaseException, host: str) -> SidecarError:
    """Say at which step a connection failed."""
    for cause in _causes(error):
        if isinstance(cause, (gaierror, UnicodeError)):
            hint = "Check the host name and the internet connection."
            return SidecarError("dns", f"The name {host} could not be resolved.", hint=hint)
        if isinstance(cause, ssl.SSLError):
            return tls_failure(cause, host)
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
    return SidecarError("malformed_response", f"The answer of {host} is not HTTP.")


def answer_failure(host: str) -> SidecarError:
    """Say that an answer broke off."""
    return SidecarError("stream_interrupted", f"The connection to {host} was lost before the answer was complete.")
