"""Windows moved over the bases that surround them in the genome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.genome import Genome
from seqdl.data.intervals import of_chromosomes
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes, Ints

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True, eq=False)
class Flanks:
    """Where each example lies in a genome, and how far it may move there.

    Nothing is copied: moved windows are gathered from the map of the genome when they are shown, so that memory does not
    grow with the number of examples or the reach.

    Attributes
    ----------
    genome : Genome
    starts : int64 array, (N,)
        Begin of each window in ``genome.flat``; -1 for an example that has no place, such as a shuffled sequence.
    room : int64 array, (N, 2)
        Bases (bp) by which a window may move towards the start and towards the end of its chromosome: the reach, or what
        the chromosome has. 0 for an example that has no place.
    minus : bool array, (N,)
        Whether it is read on the other strand.
    """

    genome: Genome
    starts: NDArray[np.int64]
    room: NDArray[np.int64]
    minus: NDArray[np.bool_]

    @classmethod
    def of(cls, genome: Genome, examples: pd.DataFrame, reach: int) -> Self:
        """Find the flanks of examples.

        Parameters
        ----------
        genome : Genome
        examples : DataFrame, N rows
            chrom ("" for an example that has no place), start, end, strand.
        reach : int
            Bases (bp) by which a window is moved at most, either way.

        Raises
        ------
        InputError
            If an interval is not inside its chromosome.
        """
        placed = (examples["chrom"] != "").to_numpy()
        table = examples.loc[placed, ["chrom", "start", "end"]].astype({"start": np.int64, "end": np.int64})
        starts, room = np.full(len(examples), -1, dtype=np.int64), np.zeros((len(examples), 2), dtype=np.int64)
        starts[placed] = genome.locate(table)
        after = of_chromosomes(table["chrom"], genome.lengths) - table["end"].to_numpy()
        room[placed] = np.minimum(np.stack([table["start"].to_numpy(), after], axis=1), reach)
        return cls(genome, starts, room, (examples["strand"] == "-").to_numpy())

    def moved(self, codes: Codes, rows: Ints, rng: np.random.Generator) -> Codes:
        """Return a batch with each window moved by a random number of bases, every one within its room as likely.

        Parameters
        ----------
        codes : Codes, (B, L)
            The batch as it is; examples that have no place are given back from it.
        rows : int array, (B,)
            Their rows.
        rng : numpy Generator

        Returns
        -------
        Codes, (B, L)

        Examples
        --------
        >>> genome = Genome.from_codes({"chrI": np.array([0, 1, 2, 3, 0], dtype=np.uint8)})
        >>> place = pd.DataFrame({"chrom": ["chrI"], "start": [0], "end": [4], "strand": ["+"]})
        >>> flanks = Flanks.of(genome, place, reach=10)
        >>> flanks.room.tolist()                                                # it begins where the chromosome begins
        [[0, 1]]
        >>> batch = genome.fetch(place)
        >>> sorted({flanks.moved(batch, np.array([0]), np.random.default_rng(seed))[0, 0].item() for seed in range(9)})
        [0, 1]
        """
        room = self.room[rows]
        shift = rng.integers(-room[:, 0], room[:, 1], endpoint=True)
        placed = self.starts[rows] >= 0
        found = self.genome.gather(self.starts[rows[placed]] + shift[placed], codes.shape[1])
        minus = self.minus[rows[placed]]
        found[minus] = reverse_complement(found[minus])
        moved = codes.copy()
        moved[placed] = found
        return moved
