"""The one table that says it all, from the results of several suites."""

from collections.abc import Callable
from dataclasses import dataclass

from report import Metric, Samples, figure, markdown, median, ratio
from suites import BURST_CPU, MB, PACED_CPU, middle, value

Results = dict[str, dict[str, Samples]]
"""Samples by suite and peer."""


@dataclass(frozen=True)
class Row:
    """A line of the summary."""

    title: str
    suite: str
    cell: Callable[[Samples, Samples], str]


def plain(metric: Metric, digits: int) -> Callable[[Samples, Samples], str]:
    """The median alone."""
    return lambda samples, baseline: figure(median(metric)(samples, baseline), digits)


def compared(metric: Metric, digits: int) -> Callable[[Samples, Samples], str]:
    """The ratio to the baseline, and the median in brackets."""

    def cell(samples: Samples, baseline: Samples) -> str:
        if not samples:
            return figure(None, 0)
        return f"{figure(ratio(metric)(samples, baseline), 2)} ({plain(metric, digits)(samples, baseline)})"

    return cell


ROWS = (
    Row("ready, ms", "ready", plain(value("ms"), 0)),
    Row("cold start to first answer, ms", "cold", plain(value("ms"), 0)),
    Row("RSS at ready, MB", "ready", plain(value("rss_kb", MB), 1)),
    Row("RSS after 100 requests, MB", "memory", plain(value("used_rss_kb", MB), 1)),
    Row("RSS with keychain (if any), MB", "memory", plain(value("keychain_rss_kb", MB), 1)),
    Row("unary, × (µs)", "unary", compared(middle("latency_us"), 0)),
    Row("first token, × (µs)", "first_token", compared(middle("first_token_us"), 0)),
    Row("burst CPU per token, × (µs)", "burst", compared(BURST_CPU, 1)),
    Row("paced CPU per token, × (µs)", "paced", compared(PACED_CPU, 0)),
    Row("10 MB request, × (ms)", "image10m", compared(middle("latency_us", 1e-3), 1)),
    Row("500 streams of 50 tokens/s, s", "streams500", plain(value("wall_s"), 2)),
)


def suites() -> list[str]:
    """The suites that the table needs, each once."""
    return list(dict.fromkeys(row.suite for row in ROWS))


def table(results: Results, peers: list[str], baseline: str) -> str:
    """The summary; × is the median of the ratios to the baseline in the same round."""
    rows = [
        [row.title, *(row.cell(results[row.suite][peer], results[row.suite][baseline]) for peer in peers)]
        for row in ROWS
    ]
    return markdown([["", *peers], *rows])
