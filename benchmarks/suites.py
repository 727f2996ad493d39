"""The suites: what is done in one round, how many rounds there are, and what is shown of them."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from peers import Mock, Peer, Sample
from report import Column, Metric, least, median, missing, ratio, spread, total

TOKENS, BURSTS = 2000, 2
CONCURRENT_TOKENS = 200
PACED_STREAMS, PACED_TOKENS = 4, 400


@dataclass(frozen=True)
class Suite:
    """One round of one peer is one `measure`."""

    title: str
    rounds: int
    measure: Callable[[Peer, Mock], Sample]
    columns: tuple[Column, ...]


def value(name: str, scale: float = 1) -> Metric:
    """A member of the sample."""
    return lambda sample: sample[name] * scale


def middle(name: str, scale: float = 1) -> Metric:
    """The median of a member that is a list: one round's p50."""
    return lambda sample: statistics.median(sample[name]) * scale


def high(name: str, scale: float = 1) -> Metric:
    """The 95th percentile of a member that is a list."""
    return lambda sample: statistics.quantiles(sample[name], n=20, method="inclusive")[-1] * scale


MB = 1 / 1024
SIZE = (Column("RSS MB", median(value("rss_kb", MB))), Column("USS MB", median(value("uss_kb", MB))))


def start_columns() -> tuple[Column, ...]:
    """Columns of the suites that time a start."""
    ms = value("ms")
    times = (Column("p50 ms", median(ms), 0), Column("best", least(ms), 0), Column("×", ratio(ms), 2))
    return (*times, *SIZE, Column("±%", spread(ms), 0))


def latency_columns(name: str) -> tuple[Column, ...]:
    """Columns of the suites that time requests one after the other."""
    p50 = middle(name)
    return (
        Column("p50 µs", median(p50), 0),
        Column("p95", median(high(name)), 0),
        Column("×", ratio(p50), 2),
        *cpu_columns("request", lambda sample: len(sample[name])),
        Column("±%", spread(p50), 0),
    )


def per(count: Metric, name: str) -> Metric:
    """A member in seconds as microseconds for each of `count`."""
    return lambda sample: sample[name] / count(sample) * 1e6


def cpu_columns(unit: str, count: Metric) -> tuple[Column, ...]:
    """Processor time per `unit`: in all, against the baseline, and in the peer's own processes."""
    each, own = per(count, "cpu_s"), per(count, "own_processes_cpu_s")
    title = f"CPU µs/{unit}"
    return Column(title, median(each)), Column("CPU ×", ratio(each), 2), Column("of it sidecar", median(own))


def measure_memory(peer: Peer, mock: Mock) -> Sample:
    """Sizes of a fresh peer as it is used, then with the keychain loaded."""
    peer.stop()
    peer.ask(mock, "unary", n=1, warm=0, model="mock-t20")
    first = peer.ask(mock, "memory")
    peer.ask(mock, "unary", n=99, warm=0, model="mock-t20")
    peer.ask(mock, "streams", n=5, warm=0, model="mock-t2000")
    used = peer.ask(mock, "memory")
    peer.ask(mock, "keychain")
    loaded = peer.ask(mock, "memory")
    sizes = {"first": first, "used": used, "keychain": loaded}
    return {f"{when}_{size}": kb for when, sample in sizes.items() for size, kb in sample.items()}


def measure_unary(peer: Peer, mock: Mock) -> Sample:
    """60 short questions on a kept connection."""
    return peer.ask(mock, "unary", n=60, warm=5, model="mock-t20")


def measure_first_token(peer: Peer, mock: Mock) -> Sample:
    """30 short streams."""
    return peer.ask(mock, "streams", n=30, warm=5, model="mock-t5")


def measure_burst(peer: Peer, mock: Mock) -> Sample:
    """Long streams, as fast as they are read, an event a write."""
    return peer.ask(mock, "streams", n=BURSTS, warm=1, model=f"mock-t{TOKENS}")


def measure_paced(peer: Peer, mock: Mock) -> Sample:
    """A few streams of 200 tokens a second: one event per read, as real providers arrive."""
    return peer.ask(mock, "concurrent", n=PACED_STREAMS, model=f"mock-t{PACED_TOKENS}-d5000-s1")


def paced_columns(tokens: int) -> tuple[Column, ...]:
    """Columns of the suites with stamped tokens, `tokens` of them a round."""
    return (
        Column("wall s", median(value("wall_s")), 2),
        *cpu_columns("token", value("tokens")),
        Column("delay p50 ms", median(value("delay_p50_us", 1e-3)), 2),
        Column("p99", median(value("delay_p99_us", 1e-3)), 2),
        Column("first token p50 ms", median(value("first_p50_us", 1e-3))),
        Column("p99", median(value("first_p99_us", 1e-3))),
        Column("lost", total(lambda sample: tokens - sample["tokens"]), 0),
    )


def concurrent(streams: int, rounds: int) -> Suite:
    """`streams` at once, 50 tokens a second each."""

    def measure(peer: Peer, mock: Mock) -> Sample:
        return peer.ask(mock, "concurrent", n=streams, model=f"mock-t{CONCURRENT_TOKENS}-d20000-s1")

    title = f"{streams} streams of {CONCURRENT_TOKENS} tokens at 50 tokens/s (ideal 3.98 s)"
    return Suite(title, rounds, measure, paced_columns(streams * CONCURRENT_TOKENS))


def image(title: str, kb: int, requests: int) -> Suite:
    """Requests that hold a base64 image of `kb` KB."""

    def measure(peer: Peer, mock: Mock) -> Sample:
        return peer.ask(mock, "unary", n=requests, warm=2, model="mock-t20", image_kb=kb)

    return Suite(f"{title} image in the request", 5, measure, latency_columns("latency_us"))


MEMORY_COLUMNS = (
    Column("RSS MB after 1", median(value("first_rss_kb", MB))),
    Column("after 100 + 5 streams", median(value("used_rss_kb", MB))),
    Column("USS", median(value("used_uss_kb", MB))),
    Column("RSS with keychain", median(value("keychain_rss_kb", MB))),
)
BURST_CPU = per(lambda _: TOKENS * BURSTS, "cpu_s")
PACED_CPU = per(value("tokens"), "cpu_s")
BURST_COLUMNS = (
    Column("wall µs/token", median(value("wall_s", 1e6 / TOKENS / BURSTS))),
    Column("wall ×", ratio(value("wall_s")), 2),
    *cpu_columns("token", lambda _: TOKENS * BURSTS),
    Column("lost characters", missing(value("characters")), 0),
    Column("±%", spread(BURST_CPU), 0),
)

SUITES = {
    "ready": Suite("Spawn until a request could be taken", 11, lambda peer, mock: peer.ready(mock), start_columns()),
    "cold": Suite("Spawn until the first answer", 11, lambda peer, mock: peer.cold(mock), start_columns()),
    "memory": Suite("Memory", 3, measure_memory, MEMORY_COLUMNS),
    "unary": Suite("One question after the other", 10, measure_unary, latency_columns("latency_us")),
    "first_token": Suite("First token", 8, measure_first_token, latency_columns("first_token_us")),
    "burst": Suite(f"Streams of {TOKENS} tokens at full speed", 7, measure_burst, BURST_COLUMNS),
    "paced": Suite(
        f"{PACED_STREAMS} streams of 200 tokens/s, one event per read",
        5,
        measure_paced,
        paced_columns(PACED_STREAMS * PACED_TOKENS),
    ),
    "streams1": concurrent(1, 3),
    "streams10": concurrent(10, 3),
    "streams100": concurrent(100, 3),
    "streams500": concurrent(500, 2),
    "image1k": image("1 KB", 1, 40),
    "image100k": image("100 KB", 100, 20),
    "image10m": image("10 MB", 10240, 2),
}
