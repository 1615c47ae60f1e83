"""The ledger: every example that was left out, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("id", "chrom", "start", "end", "reason", "source")


@dataclass
class Ledger:
    """Counts what is dropped and what is changed on the way from files to examples.

    Examples
    --------
    >>> ledger = Ledger()
    >>> ledger.drop("peak1", "reaches past the chromosome end", chrom="chrM", start=16320, end=16820)
    >>> ledger.note("3 sequences hold lower-case letters; read as upper case")
    >>> ledger.counts()
    {'reaches past the chromosome end': 1}
    """

    rows: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def drop(self, name: str, reason: str, *, chrom: str = "", start: int | None = None, end: int | None = None, source: str = "") -> None:
        """Enter one example that is left out."""
        self.rows.append({"id": name, "chrom": chrom, "start": start, "end": end, "reason": reason, "source": source})

    def drop_intervals(self, intervals: pd.DataFrame, reason: str, source: str = "") -> None:
        """Enter every row of an interval table (chrom start end name) as left out."""
        columns = [intervals[name].tolist() for name in ("name", "chrom", "start", "end")]
        for name, chrom, start, end in zip(*columns, strict=True):
            self.drop(str(name), reason, chrom=str(chrom), start=int(start), end=int(end), source=source)

    def note(self, text: str) -> None:
        """Enter something that was changed or taken with care; said once."""
        if text not in self.notes:
            self.notes.append(text)

    def counts(self) -> dict[str, int]:
        """Return how many examples were dropped for each reason."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[str(row["reason"])] = found.get(str(row["reason"]), 0) + 1
        return found

    def table(self) -> pd.DataFrame:
        """Return the dropped examples as a table with the columns id chrom start end reason source."""
        import pandas as pd

        table = pd.DataFrame(self.rows, columns=list(COLUMNS))
        return table.astype({"start": "Int64", "end": "Int64"})
