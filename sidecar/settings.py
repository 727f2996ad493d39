"""What a start of the sidecar is told: flags, and the file named by `--config`."""

import argparse
import stat
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from sidecar import __version__
from sidecar.catalog.user_prices import UserPrice
from sidecar.providers import ProviderConfig
from sidecar.providers.origins import proxy_address
from sidecar.schema.errors import SidecarError
from sidecar.schema.secret import decode_hook
from sidecar.schema.session import MAX_PROCESS_ID, Limits

MAX_LIMIT: Final = 2**53
LEVELS: Final = ("debug", "info", "warning", "error")


class ConfigError(Exception):
    """The flags or the configuration file make no sense; the message says where."""


class ConfigFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration file, in TOML."""

    limits: dict[str, int] = {}
    providers: list[ProviderConfig] = []
    active: str | None = None
    allow_paths: list[str] = []
    prices: list[UserPrice] = []
    proxy: str | None = None
    ca_file: str | None = None


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that is fixed for the life of the process."""

    limits: Limits = Limits()
    providers: tuple[ProviderConfig, ...] = ()
    active: str | None = None
    allowed_paths: tuple[Path, ...] = ()
    prices: tuple[UserPrice, ...] = ()
    log_level: str = "warning"
    log_format: Literal["json", "text"] = "text"
    parent_pid: int | None = None
    data_dir: Path | None = None
    models_dir: Path | None = None
    storage: Literal["disk", "memory"] = "disk"
    app_id: str | None = None
    drain: bool = False
    key_env: bool = False
    scripted: bool = False
    allow_plain_http: bool = False
    proxy: str | None = None
    ca_file: Path | None = None


def parser() -> argparse.ArgumentParser:
    """Return the parser of the serving command's flags."""
    flags = argparse.ArgumentParser(
        prog="llm-sidecar",
        description="Serves JSON-RPC 2.0 on stdin and stdout, one message a line.",
        epilog="For people there are chat, models, usage, keys and doctor: see `llm-sidecar chat --help` and so on.",
    )
    add = flags.add_argument
    add("--version", action="version", version=f"llm-sidecar {__version__}")
    add("--config", metavar="FILE.toml", help="limits, providers, prices and the active provider to start with")
    add("--log-level", choices=LEVELS, default="warning", help="how much is logged to stderr")
    add("--log-format", choices=("text", "json"), default="text")
    add("--parent-pid", type=int, metavar="PID", help="exit when this process dies")
    add("--data-dir", type=Path, metavar="DIR", help="where names of saved keys, costs and kept answers lie")
    add("--models-dir", type=Path, metavar="DIR", help="where downloaded models lie; default: `models` in the data dir")
    add("--storage", choices=("disk", "memory"), default="disk", help="where costs, budgets and kept answers are")
    add("--app-id", metavar="NAME", help="the keychain's service name; default: the client's name")
    add("--eof", choices=("cancel", "drain"), default="cancel", help="what happens to requests when stdin ends")
    add("--limit", action="append", default=[], metavar="NAME=N", help="set a limit, such as max_streams=16")
    add("--key-env", action="store_true", help="take keys from variables such as OPENAI_API_KEY, too")
    add("--allow-path", action="append", default=[], metavar="DIR", help="let `file` parts name files in this folder")
    add("--allow-plain-http", action="store_true", help="let keys travel over http:// beyond this machine")
    add("--proxy", metavar="URL", help="reach providers through this proxy; loopback never is")
    add("--ca-file", metavar="FILE.pem", help="trust the authorities in this file beside those of the system")
    add("--scripted", action="store_true", help="add the provider `scripted`, for tests of clients")
    return flags


def load(arguments: list[str]) -> Settings:
    """Return the settings of a command line, or raise `ConfigError`.

    Exits for `--help`, `--version` and flags that do not exist.
    """
    flags = parser().parse_args(arguments)
    file = _read(flags.config) if flags.config else ConfigFile()
    return Settings(
        limits=_limits(file.limits | dict(_assignment(text) for text in flags.limit)),
        providers=tuple(file.providers),
        active=file.active,
        allowed_paths=tuple(_folder(name) for name in [*file.allow_paths, *flags.allow_path]),
        prices=tuple(file.prices),
        log_level=flags.log_level,
        log_format=flags.log_format,
        parent_pid=_process_id(flags.parent_pid),
        data_dir=flags.data_dir,
        models_dir=flags.models_dir,
        storage=flags.storage,
        app_id=flags.app_id,
        drain=flags.eof == "drain",
        key_env=flags.key_env,
        scripted=flags.scripted,
        allow_plain_http=flags.allow_plain_http,
        proxy=_proxy(flags.proxy or file.proxy),
        ca_file=_ca_file(flags.ca_file or file.ca_file),
    )


def _read(name: str) -> ConfigFile:
    import tomllib  # most starts have no file to read

    try:
        with Path(name).open("rb") as file:
            content: dict[str, Any] = tomllib.load(file)
        return msgspec.convert(content, ConfigFile, dec_hook=decode_hook)
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{name}: {error}") from None


def _assignment(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    try:
        return name, int(number)
    except ValueError:
        raise ConfigError(f"--limit {text}: expected NAME=N") from None


def _limits(values: dict[str, int]) -> Limits:
    for name, value in values.items():
        if name not in Limits.__struct_fields__:
            known = ", ".join(Limits.__struct_fields__)
            raise ConfigError(f"there is no limit {name}; there are {known}")
        least = min(1, getattr(Limits(), name))
        if not least <= value <= MAX_LIMIT:
            raise ConfigError(f"the limit {name} must be {least} to {MAX_LIMIT}")
    return Limits(**values)


def _process_id(number: int | None) -> int | None:
    if number is not None and not 1 <= number <= MAX_PROCESS_ID:
        raise ConfigError(f"--parent-pid {number}: there is no such process id")
    return number


def _proxy(url: str | None) -> str | None:
    """Return the URL; what is said of a wrong one does not show it, for it may hold a password."""
    try:
        if url is not None:
            proxy_address(url)
    except SidecarError as error:
        raise ConfigError(f"the proxy: {error}") from None
    return url


def _ca_file(name: str | None) -> Path | None:
    """Return the file, which must hold certificates."""
    if name is None:
        return None
    import ssl  # most starts have no file to check

    file = Path(name).absolute()
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise ConfigError(f"the CA file {name}: not a file")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        raise ConfigError(f"the CA file {name}: it holds no certificates in PEM") from None
    except OSError as error:
        raise ConfigError(f"the CA file {name}: {error.strerror}") from None
    return file


def _folder(name: str) -> Path:
    try:
        folder = Path(name).resolve(strict=True)
    except OSError as error:
        raise ConfigError(f"--allow-path {name}: {error.strerror}") from None
    if not folder.is_dir():
        raise ConfigError(f"--allow-path {name}: not a folder")
    return folder
