"""Medians over rounds, ratios to the baseline, and Markdown tables."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Sample = dict[str, Any]
Samples = dict[int, Sample]
"""What was measured of one peer, by round."""

Metric = Callable[[Sample], float]
Statistic = Callable[[Samples, Samples], float | None]
"""A figure for a table, from a peer's samples and the baseline's."""


@dataclass(frozen=True)
class Column:
    """A column of a suite's table."""

    title: str
    statistic: Statistic
    digits: int = 1


def median(metric: Metric) -> Statistic:
    """The median over the rounds."""
    return lambda samples, _: statistics.median(map(metric, samples.values())) if samples else None


def least(metric: Metric) -> Statistic:
    """The best round."""
    return lambda samples, _: min(map(metric, samples.values()), default=None)


def total(metric: Metric) -> Statistic:
    """The sum over the rounds."""
    return lambda samples, _: sum(map(metric, samples.values())) if samples else None


def ratio(metric: Metric) -> Statistic:
    """The median of the ratios to the baseline in the same round: what neighbours on the machine do cancels out."""

    def statistic(samples: Samples, baseline: Samples) -> float | None:
        paired = [metric(samples[at]) / metric(baseline[at]) for at in samples if at in baseline]
        return statistics.median(paired) if paired else None

    return statistic


def spread(metric: Metric) -> Statistic:
    """Half the interquartile range, in per cent of the median."""

    def statistic(samples: Samples, _: Samples) -> float | None:
        values = list(map(metric, samples.values()))
        if len(values) < 4:  # noqa: PLR2004 - quartiles of less mean nothing
            return None
        low, middle, high = statistics.quantiles(values, n=4)
        return 50 * (high - low) / middle

    return statistic


def missing(metric: Metric) -> Statistic:
    """By how much less than the baseline in the same rounds."""

    def statistic(samples: Samples, baseline: Samples) -> float | None:
        differences = [metric(baseline[at]) - metric(samples[at]) for at in samples if at in baseline]
        return sum(differences) if differences else None

    return statistic


def figure(value: float | None, digits: int) -> str:
    """A number for people; a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def markdown(rows: list[list[str]]) -> str:
    """A table, aligned for reading as text too; the first row holds the titles."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(line(row, widths) for row in [rows[0], rule, *rows[1:]]) + "\n"


def line(row: list[str], widths: list[int]) -> str:
    """One line of a table."""
    first, *others = zip(row, widths, strict=True)
    return "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |"
