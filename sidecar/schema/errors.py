"""Every error a client can meet: one table of types, codes and categories, and the exception that carries them.

Clients switch on `type`. `retryable` means that the same request may succeed later. The table only grows.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, get_args

from msgspec import Struct
from msgspec.structs import asdict, replace

from sidecar.schema.usage import Attempt, Usage

ErrorType = Literal[
    "parse_error",
    "invalid_message",
    "method_not_found",
    "invalid_params",
    "internal_error",
    "duplicate_id",
    "not_batchable",
    "message_too_large",
    "server_busy",
    "shutting_down",
    "not_initialized",
    "already_initialized",
    "unsupported_protocol_version",
    "stream_id_in_use",
    "client_stalled",
    "connection_closed",
    "sidecar_not_found",
    "request_cancelled",
    "provider_not_found",
    "model_not_found",
    "provider_not_configured",
    "unsupported_feature",
    "origin_not_allowed",
    "path_not_allowed",
    "credential_not_found",
    "keyring_unavailable",
    "keyring_locked",
    "keyring_denied",
    "authentication",
    "permission_denied",
    "insufficient_quota",
    "rate_limited",
    "context_length_exceeded",
    "content_filtered",
    "request_rejected",
    "unsupported_parameter",
    "payload_too_large",
    "provider_overloaded",
    "server_error",
    "malformed_response",
    "output_invalid",
    "stream_interrupted",
    "dns",
    "connect",
    "tls",
    "proxy",
    "timeout",
    "model_file_invalid",
    "out_of_memory",
    "engine_crashed",
    "engine_unavailable",
    "download_failed",
    "checksum_mismatch",
    "disk_full",
    "model_in_use",
    "budget_exceeded",
    "privacy_blocked",
]
Category = Literal["network", "ai", "config", "not_found", "protocol", "internal"]
Stage = Literal["connect", "first_token", "idle", "total", "queue"]


class ErrorKind(Struct, frozen=True):
    """A row of the error table."""

    type: ErrorType
    code: int
    category: Category
    retryable: bool
    meaning: str


def _table(*rows: tuple[ErrorType, int, Category, bool, str]) -> dict[ErrorType, ErrorKind]:
    return {row[0]: ErrorKind(*row) for row in rows}


ERRORS: Final = _table(
    ("parse_error", -32700, "protocol", False, "The line is not JSON."),
    ("invalid_message", -32600, "protocol", False, "The line is JSON but not a JSON-RPC 2.0 request."),
    ("duplicate_id", -32600, "protocol", False, "A request with this id is still in flight."),
    ("not_batchable", -32600, "protocol", False, "The method may not be part of a batch."),
    ("message_too_large", -32600, "protocol", False, "The line is longer than `limits.max_message_bytes`."),
    ("method_not_found", -32601, "protocol", False, "There is no such method."),
    ("invalid_params", -32602, "protocol", False, "`params` do not match the method's schema."),
    ("internal_error", -32603, "internal", False, "A defect of the sidecar; its log says more."),
    ("server_busy", -32000, "protocol", True, "A limit on requests, streams or memory is reached."),
    ("shutting_down", -32001, "protocol", False, "The sidecar is about to exit."),
    ("not_initialized", -32002, "protocol", False, "`initialize` must come first."),
    ("already_initialized", -32003, "protocol", False, "`initialize` was called before."),
    ("unsupported_protocol_version", -32004, "protocol", False, "No common protocol version."),
    ("stream_id_in_use", -32005, "protocol", False, "An open stream has this `stream_id`."),
    ("client_stalled", -32006, "protocol", True, "The host did not read for too long, so the stream was ended."),
    ("connection_closed", -32099, "protocol", True, "Reserved for clients: the sidecar has gone."),
    ("sidecar_not_found", -32098, "config", False, "Reserved for clients: there is no executable of the sidecar."),
    ("request_cancelled", -32800, "protocol", False, "The host cancelled the request."),
    ("provider_not_found", 1001, "not_found", False, "No provider has this name."),
    ("model_not_found", 1002, "not_found", False, "The provider has no such model."),
    ("provider_not_configured", 1003, "config", False, "The provider lacks a setting it needs."),
    ("unsupported_feature", 1004, "config", False, "The provider or model cannot do what was asked."),
    ("origin_not_allowed", 1005, "config", False, "The key is not meant for the server it would go to."),
    ("path_not_allowed", 1006, "config", False, "The file lies outside the allowed folders."),
    ("credential_not_found", 1101, "not_found", False, "No key is saved for this provider."),
    ("keyring_unavailable", 1102, "config", True, "The system has no working keychain."),
    ("keyring_locked", 1103, "config", True, "The keychain is locked."),
    ("keyring_denied", 1104, "config", False, "The keychain refused access."),
    ("authentication", 1201, "ai", False, "The provider refused the API key."),
    ("permission_denied", 1202, "ai", False, "The key may not do this."),
    ("insufficient_quota", 1203, "ai", False, "The account has no credit or quota left."),
    ("rate_limited", 1204, "ai", True, "Too many requests; `retry_after_ms` says when to come back, if known."),
    ("context_length_exceeded", 1205, "ai", False, "The request does not fit the model's context."),
    ("content_filtered", 1206, "ai", False, "The provider's content policy blocked the request or the answer."),
    ("request_rejected", 1207, "ai", False, "The provider refused the request as invalid."),
    ("unsupported_parameter", 1208, "ai", False, "The provider does not take one of the parameters."),
    ("payload_too_large", 1209, "ai", False, "The request is larger than the provider accepts."),
    ("provider_overloaded", 1210, "ai", True, "The provider is over capacity."),
    ("server_error", 1211, "ai", True, "The provider failed."),
    ("malformed_response", 1212, "ai", True, "The provider's answer could not be read."),
    ("output_invalid", 1213, "ai", True, "The answer does not match the schema that was asked for."),
    ("stream_interrupted", 1214, "ai", True, "The answer ended before it was complete; `partial` holds what came."),
    ("dns", 1251, "network", True, "The server's name could not be resolved."),
    ("connect", 1252, "network", True, "The server could not be reached."),
    ("tls", 1253, "network", False, "No trusted connection to the server could be made."),
    ("proxy", 1254, "network", True, "The proxy refused or failed."),
    ("timeout", 1255, "network", True, "A deadline passed; `stage` says which."),
    ("model_file_invalid", 1301, "config", False, "The model file is missing, damaged or of an unknown kind."),
    ("out_of_memory", 1302, "ai", False, "The model or its context does not fit into memory."),
    ("engine_crashed", 1303, "ai", True, "The local engine died; the next request starts it anew."),
    ("engine_unavailable", 1304, "config", False, "No local engine can run here; the message says what to install."),
    ("download_failed", 1305, "ai", True, "A model could not be downloaded."),
    ("checksum_mismatch", 1306, "ai", False, "A downloaded model is not the one that was asked for."),
    ("disk_full", 1307, "config", False, "There is not enough room on the disk."),
    ("model_in_use", 1308, "config", True, "The model is in memory or being fetched, so it cannot be changed now."),
    ("budget_exceeded", 1401, "config", False, "A budget is used up."),
    ("privacy_blocked", 1402, "config", False, "The request may not leave this machine."),
)
assert set(ERRORS) == set(get_args(ErrorType))


class ErrorData(Struct, omit_defaults=True, kw_only=True):
    """`error.data` of every error reply."""

    type: str
    category: str
    retryable: bool
    retry_after_ms: int | None = None
    provider: str | None = None
    model: str | None = None
    http_status: int | None = None
    provider_code: str | None = None
    provider_request_id: str | None = None
    hint: str | None = None
    stage: str | None = None
    param: str | None = None
    attempts: list[Attempt] | None = None
    partial: Any = None  # a Message, as far as it came
    usage: Usage | None = None
    chunks: int | None = None
    stream_id: str | None = None


class ErrorObject(Struct):
    """`error` of a JSON-RPC error reply."""

    code: int
    message: str
    data: ErrorData

    def redacted(self, redact: Callable[[str], str]) -> "ErrorObject":
        """Return the error with its words passed through `redact`; what a model wrote stays as it is."""
        words = {name: redact(value) for name, value in asdict(self.data).items() if isinstance(value, str)}
        return ErrorObject(self.code, redact(self.message), replace(self.data, **words))


class SidecarError(Exception):
    """A failure that a client can act on.

    `details` are fields of `ErrorData`. `message` is one sentence for people, free of secrets, class names and
    tracebacks.
    """

    def __init__(self, type: ErrorType, message: str = "", **details: Any) -> None:  # noqa: A002 - the wire's name
        super().__init__(message or ERRORS[type].meaning)
        self.type: ErrorType = type
        self.details: dict[str, Any] = details

    @property
    def message(self) -> str:
        return str(self.args[0])

    def to_object(self) -> ErrorObject:
        """Return the `error` member of the reply."""
        kind = ERRORS[self.type]
        details: dict[str, Any] = {"retryable": kind.retryable} | self.details
        return ErrorObject(kind.code, self.message, ErrorData(type=kind.type, category=kind.category, **details))


def error_kinds(types: Iterable[ErrorType]) -> list[ErrorKind]:
    """Return the rows of `types`, in the table's order."""
    wanted = set(types)
    return [kind for kind in ERRORS.values() if kind.type in wanted]
