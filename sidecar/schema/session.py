"""The session: handshake, limits, life and death."""

from typing import Annotated, Any, Final

from msgspec import Meta, Struct, field

PROTOCOL_VERSION: Final = 1
MAX_PROCESS_ID: Final = 2**31 - 1


class Limits(Struct, frozen=True, kw_only=True):
    """Every bound of the process; set by `--limit NAME=N` or `[limits]`. Bytes and milliseconds."""

    max_message_bytes: int = 64 << 20
    """A longer inbound line is discarded and answered with `message_too_large`."""
    max_admitted_bytes: int = 256 << 20
    """The size of all requests in progress together, with the files that they name."""
    max_requests: int = 256
    """Requests in progress, pings not counted."""
    max_streams: int = 64
    """Chat streams in progress."""
    max_batch: int = 100
    """Messages in a batch, which may have 1 MiB."""
    stdin_ahead_bytes: int = 8 << 20
    """Input read but not yet handled."""
    soft_output_bytes: int = 1 << 20
    """Undelivered output from which on streams wait for the host."""
    hard_output_bytes: int = 64 << 20
    """Undelivered output from which on a host that takes nothing for `stalled_exit_ms` is given up."""
    max_output_bytes: int = 512 << 20
    """Undelivered output that is never exceeded: the sidecar exits."""
    max_chunk_bytes: int = 32 << 10
    """The longest `stream.chunk` line, `part` deltas excepted."""
    stalled_exit_ms: int = 10_000
    """How long a host may take nothing while `hard_output_bytes` wait."""
    stalled_stream_ms: int = 120_000
    """How long a stream may wait for its host before it ends with `client_stalled`."""
    exit_grace_ms: int = 2_000
    """How long requests in progress may take to finish when the session ends."""
    keychain_ms: int = 5_000
    """How long a keychain call may take."""
    load_ms: int = 600_000
    """How long loading a local model may take."""
    local_memory_bytes: int = 0
    """What all local models together may take of the memory; 0 is three quarters of what the machine has."""
    max_queued: int = 1024
    """Requests that wait for a rate limit, those of one key together."""
    max_wait_ms: int = 120_000
    """How long a request may have to wait for a rate limit; where it would be longer, it fails with `rate_limited`."""
    cooldown_ms: int = 30_000
    """How long a target that failed is passed over where there is a fallback."""
    cache_bytes: int = 256 << 20
    """The size of all kept answers."""
    cache_answer_bytes: int = 4 << 20
    """A longer answer is not kept."""
    cache_ttl_s: int = 30 * 24 * 3600
    """How long answers are kept unless a request says less."""
    ledger_days: int = 800
    """How long the ledger goes back."""
    storage_ms: int = 5_000
    """How long the database may be held by another process, or take to answer."""


class ClientInfo(Struct, frozen=True, omit_defaults=True):
    """The host app; its name is the keychain's service name unless `--app-id` is given."""

    name: str
    version: str | None = None


class InitializeParams(Struct, frozen=True):
    """Opens the session. `process_id` is the host's: when it dies, the sidecar exits."""

    protocol_version: int
    client_info: ClientInfo
    process_id: Annotated[int, Meta(ge=1, le=MAX_PROCESS_ID)] | None = None
    capabilities: dict[str, Any] = {}
    options: dict[str, Any] = {}


class ServerInfo(Struct, frozen=True):
    """This process."""

    name: str
    version: str
    pid: int


class InitializeResult(Struct, frozen=True):
    """`protocol_version` is the lower of the client's and the server's major version."""

    protocol_version: int
    server_info: ServerInfo
    capabilities: dict[str, Any]
    limits: Limits


class Empty(Struct, frozen=True):
    """No members."""


class Pong(Struct, frozen=True):
    """`uptime_ms` counts from the start of the process."""

    uptime_ms: int


class CancelRequestParams(Struct, frozen=True):
    """The id of the pending request to cancel."""

    id: str | int


class OpenRpc(Struct, frozen=True):
    """The OpenRPC document of this server, as in `protocol/openrpc.json`."""

    openrpc: str
    info: dict[str, Any]
    methods: list[dict[str, Any]]
    notifications: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]], name="x-notifications")
    components: dict[str, Any] = field(default_factory=dict[str, Any])
