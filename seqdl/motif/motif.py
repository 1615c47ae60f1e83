"""The motif: a frozen position frequency matrix and what is read off it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError, ShapeError
from seqdl.types import Codes

Matrix = NDArray[np.float64]
UNIFORM = (0.25, 0.25, 0.25, 0.25)
SITES_IF_UNKNOWN = 20.0
"""Number of sites assumed where a matrix holds probabilities and does not say (as the MEME suite does)."""
_IUPAC = "-ACMGRSVTWYHKDBN"  # letter of a set of bases; the set is the bits A=1 C=2 G=4 T=8


@dataclass(frozen=True, eq=False)
class Motif:
    """A motif: how often each base was seen at each position.

    Parameters
    ----------
    name : str
        Its identifier, such as ``MA0363.1`` or ``filter3``.
    pfm : array, (4, W)
        Counts or probabilities, rows A C G T; copied and made read-only.
    alt_name : str, optional
        A second name, mostly the factor (``REB1``).
    n_sites : float, optional
        Number of sites the matrix was made of. By default (nan) the mean column sum where `pfm` holds counts, else 20.
    background : tuple of 4 floats
        Base frequencies A C G T that log-odds are taken against.
    families : tuple of str
        Structural families of the factor, where a database tells (``("Ets-related",)``; of a dimer mostly two).

    Raises
    ------
    ShapeError
        If `pfm` is not (4, W) with W of 1 or more.
    InputError
        If a value is negative or not finite, a column holds nothing, or the background is not four positive frequencies.

    Examples
    --------
    >>> motif = Motif("m1", [[9, 0, 0], [0, 9, 0], [0, 0, 5], [0, 0, 4]], alt_name="TOY")
    >>> motif.label, motif.width, motif.n_sites, motif.consensus
    ('m1 TOY', 3, 9.0, 'ACK')
    >>> motif.information_per_position.round(2).tolist()
    [2.0, 2.0, 1.01]
    >>> motif.reverse_complement().consensus
    'MGT'
    """

    name: str
    pfm: Matrix
    alt_name: str = ""
    n_sites: float = nan
    background: tuple[float, float, float, float] = UNIFORM
    families: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pfm = _checked(self.name, self.pfm)
        object.__setattr__(self, "pfm", pfm)
        if isnan(self.n_sites):
            mean = float(pfm.sum(axis=0).mean())
            object.__setattr__(self, "n_sites", mean if mean > 1.5 else SITES_IF_UNKNOWN)
        elif not self.n_sites > 0:
            raise InputError(
                f"motif '{self.name}' is said to be made of {self.n_sites} sites; n_sites has to be positive; leave it out where it is not known."
            )
        background = tuple(float(value) for value in self.background)
        if len(background) != 4 or min(background) <= 0 or abs(sum(background) - 1) > 0.05:
            raise InputError(
                f"the background of motif '{self.name}' is {background}; expected four positive numbers that sum to 1. Leave it out for 0.25 each."
            )
        total = sum(background)
        object.__setattr__(self, "background", tuple(value / total for value in background))

    @classmethod
    def from_sites(cls, name: str, codes: Codes, *, alt_name: str = "") -> Motif:
        """Count the bases of aligned sites.

        Parameters
        ----------
        name : str
            The motif's name.
        codes : uint8, (S, W)
            Aligned sites; ambiguous bases (4) are not counted, and a position without any base counts as uniform.
        alt_name : str, optional
            A second name.

        Raises
        ------
        ShapeError
            If `codes` is not (S, W) with at least one site and one position.

        Examples
        --------
        >>> import numpy as np
        >>> Motif.from_sites("m", np.array([[0, 3], [0, 2]], dtype=np.uint8)).pfm.tolist()
        [[2.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
        """
        codes = np.asarray(codes)
        if codes.ndim != 2 or 0 in codes.shape:
            raise ShapeError(
                f"the sites of motif '{name}' have the shape {codes.shape}; expected (sites, width), at least one of each. Give one row a site."
            )
        counts = np.stack([(codes == base).sum(axis=0) for base in range(4)]).astype(np.float64)
        counts[:, counts.sum(axis=0) == 0] = len(codes) / 4
        return cls(name, counts, alt_name=alt_name, n_sites=float(len(codes)))

    @property
    def width(self) -> int:
        """Number of positions W."""
        return int(self.pfm.shape[1])

    @property
    def label(self) -> str:
        """How the motif is named in tables: ``ID NAME``, or the name alone."""
        return f"{self.name} {self.alt_name}" if self.alt_name and self.alt_name != self.name else self.name

    @property
    def ppm(self) -> Matrix:
        """Probabilities, (4, W); each column sums to 1."""
        return np.asarray(self.pfm / self.pfm.sum(axis=0), dtype=np.float64)

    @property
    def information_per_position(self) -> Matrix:
        """Information content of each position in bits, (W,), 0 to 2: two minus the Shannon entropy [1]_.

        No small-sample correction is applied and the genome is taken as uniform, as logos of databases are drawn.

        References
        ----------
        .. [1] Schneider and Stephens (1990), Nucleic Acids Research 18:6097.
        """
        ppm = self.ppm
        entropy = -np.sum(ppm * np.log2(np.where(ppm > 0, ppm, 1)), axis=0)
        return np.asarray(np.clip(2 - entropy, 0, 2), dtype=np.float64)

    @property
    def information_bits(self) -> float:
        """Information content of the whole motif in bits."""
        return float(self.information_per_position.sum())

    @property
    def consensus(self) -> str:
        """IUPAC consensus by the rules of Cavener [1]_.

        One base where it has more than half of the sites and more than twice the second; two where they share more
        than three quarters; three where the fourth is never seen; N otherwise.

        References
        ----------
        .. [1] Cavener (1987), Nucleic Acids Research 15:1353.
        """
        return "".join(_letter(column) for column in self.pfm.T)

    def pwm(self, pseudocount: float = 1.0) -> Matrix:
        """Return log2-odds against the background, in bits, (4, W).

        Parameters
        ----------
        pseudocount : float, default 1.0
            Sites added to the `n_sites` of each column, spread by the background, so that an unseen base is unlikely, not impossible.

        Raises
        ------
        InputError
            If the pseudocount is not positive (an unseen base would score minus infinity).

        Examples
        --------
        >>> Motif("m", [[30, 0], [1, 1], [0, 0], [0, 30]]).pwm().round(2).tolist()
        [[1.92, -5.0], [-2.68, -2.68], [-5.0, -5.0], [-5.0, 1.92]]
        """
        if not pseudocount > 0:
            raise InputError(
                f"the pseudocount is {pseudocount}; it has to be positive, or a base that was never seen scores minus infinity. Try 0.1."
            )
        background = np.asarray(self.background)[:, None]
        smoothed = (self.ppm * self.n_sites + pseudocount * background) / (self.n_sites + pseudocount)
        return np.asarray(np.log2(smoothed / background), dtype=np.float64)

    def reverse_complement(self) -> Motif:
        """Return the motif as it reads on the other strand; its names stay."""
        a, c, g, t = self.background
        return replace(self, pfm=self.pfm[::-1, ::-1], background=(t, g, c, a))

    def trim(self, min_bits: float = 0.25) -> Motif:
        """Cut the flanks until both ends hold at least `min_bits` of information.

        A motif in which no position does is returned whole.

        Examples
        --------
        >>> Motif("m", [[1, 9, 1], [1, 0, 1], [1, 0, 1], [1, 0, 1]]).trim().width
        1
        """
        strong = np.flatnonzero(self.information_per_position >= min_bits)
        return replace(self, pfm=self.pfm[:, strong[0] : strong[-1] + 1]) if len(strong) else self


def _checked(name: str, values: ArrayLike) -> Matrix:
    """Return the matrix as a read-only float64 copy, or say what is wrong with it."""
    pfm = np.array(values, dtype=np.float64)
    if pfm.ndim != 2 or pfm.shape[0] != 4 or pfm.shape[1] == 0:
        turned = " It looks transposed: pass matrix.T." if pfm.ndim == 2 and pfm.shape[1] == 4 else " Rows are A C G T, columns positions."
        raise ShapeError(f"the matrix of motif '{name}' has the shape {pfm.shape}; expected (4, width).{turned}")
    bad = ~np.isfinite(pfm) | (pfm < 0)
    if bad.any():
        base, position = np.argwhere(bad)[0]
        raise InputError(
            f"motif '{name}' holds {pfm[base, position]:g} for {'ACGT'[base]} at position {position + 1}; "
            "expected counts or probabilities, which are finite and not negative. Log-odds have to be turned into probabilities first."
        )
    empty = np.flatnonzero(pfm.sum(axis=0) == 0)
    if len(empty):
        raise InputError(
            f"position {empty[0] + 1} of motif '{name}' holds no counts at all; expected at least one base. Trim the motif or fill in 1 1 1 1."
        )
    pfm.setflags(write=False)
    return pfm


def _letter(column: Matrix) -> str:
    """Return the IUPAC letter of one column of counts; as sums of counts the rules hold to the letter on a tie."""
    order = np.argsort(-column, kind="stable")
    first, second, third, fourth = column[order]
    if first > second + third + fourth and first > 2 * second:
        count = 1
    elif 4 * (first + second) > 3 * (first + second + third + fourth):
        count = 2
    elif fourth == 0:
        count = 3
    else:
        count = 4
    return _IUPAC[int(sum(1 << int(base) for base in order[:count]))]
