"""Numbers with their intervals, and how the page writes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """A measured value, with its 95 % interval where there is one.

    Examples
    --------
    >>> print(Estimate(0.9312, 0.9101, 0.9508))
    0.931 (0.910–0.951)
    """

    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        return f"{decimal(self.value)} ({self.interval})" if self.interval else decimal(self.value)

    @property
    def interval(self) -> str:
        """The interval in words; empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        dash = " to " if self.low < 0 or self.high < 0 else "–"
        return f"{decimal(self.low)}{dash}{decimal(self.high)}"

    @property
    def width(self) -> float:
        """Width of the interval; NaN where there is none."""
        return math.nan if self.low is None or self.high is None else self.high - self.low

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval, or the value twice where there is none."""
        return (self.value, self.value) if self.low is None or self.high is None else (self.low, self.high)


def number(value: Any) -> float | None:
    """Return a finite float, or None for anything else (null, NaN, text).

    Examples
    --------
    >>> number("0.5"), number(None), number(float("nan"))
    (0.5, None, None)
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def estimate(entry: Any) -> Estimate | None:
    """Return the estimate in one entry of metrics.json: a mapping, a bare number, or None where undefined.

    Examples
    --------
    >>> estimate({"value": 0.9, "low": 0.8, "high": 0.95})
    Estimate(value=0.9, low=0.8, high=0.95)
    >>> estimate({"value": None}) is None
    True
    """
    if not isinstance(entry, dict):
        entry = {"value": entry}
    value = number(entry.get("value"))
    return None if value is None else Estimate(value, number(entry.get("low")), number(entry.get("high")))


def decimal(value: Any, digits: int = 3) -> str:
    """Write a number with a fixed count of decimals; a dash where there is none.

    Examples
    --------
    >>> decimal(0.93123), decimal(None), decimal(-0.5, 1), decimal(-0.00001)
    ('0.931', '–', '−0.5', '0.000')
    """
    found = number(value)
    if found is None:
        return "–"
    written = f"{found:.{digits}f}"
    return written.replace("-", "−") if float(written) else written.removeprefix("-")


def count(value: Any) -> str:
    """Write a whole number with thousands separated.

    Examples
    --------
    >>> count(80312)
    '80,312'
    """
    found = number(value)
    return "–" if found is None else f"{round(found):,}"


def plural(n: int, word: str, words: str = "") -> str:
    """Write a count and its noun.

    Examples
    --------
    >>> plural(1, "example"), plural(2500, "example"), plural(2, "copy", "copies")
    ('1 example', '2,500 examples', '2 copies')
    """
    return f"{count(n)} {word if n == 1 else words or word + 's'}"


def percent(share: Any) -> str:
    """Write a share of one as a percentage.

    Examples
    --------
    >>> percent(0.125), percent(0.004), percent(0), percent(0.00001)
    ('12 %', '0.4 %', '0 %', 'under 0.1 %')
    """
    found = number(share)
    if found is None:
        return "–"
    if 0 < found < 0.001:
        return "under 0.1 %"
    return f"{100 * found:.1f} %" if 0 < found < 0.0995 else f"{100 * found:.0f} %"


def probability(value: Any) -> str:
    """Write a p- or q-value.

    Examples
    --------
    >>> probability(0.034), probability(3.2e-9), probability(0)
    ('0.034', '3.2 × 10⁻⁹', 'under 10⁻³⁰⁰')
    """
    found = number(value)
    if found is None:
        return "–"
    if found <= 0:
        return "under 10⁻³⁰⁰"
    if found >= 0.001:
        return f"{found:.2g}" if found < 0.1 else f"{found:.2f}"
    mantissa, exponent = f"{found:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def duration(seconds: Any) -> str:
    """Write a time in the unit a person would use.

    Examples
    --------
    >>> duration(42), duration(150), duration(9000)
    ('42 seconds', '2.5 minutes', '2.5 hours')
    """
    found = number(seconds)
    if found is None:
        return "–"
    for limit, unit, size in ((90, "seconds", 1), (5400, "minutes", 60), (math.inf, "hours", 3600)):
        if found < limit:
            return f"{found / size:.0f} {unit}" if size == 1 else f"{found / size:.1f} {unit}"
    return f"{found} s"
