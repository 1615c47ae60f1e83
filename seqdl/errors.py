"""The exceptions of seqdl.

Every error a user can cause is a `SeqdlError` and also the builtin it resembles, so both
``except SeqdlError`` and ``except FileNotFoundError`` do what one expects::

    SeqdlError
      InputError            (ValueError)         a value, an option or the data is wrong
        FormatError                              a file does not hold what its format asks for
        ShapeError                               an array or a tensor has the wrong shape
        DataError                                the examples cannot serve (too few, one class only)
        NoFiltersError                           a network has no convolution over the bases to read as motifs
      MissingFileError      (FileNotFoundError)  a file or folder that should be there is not
      OutputExistsError     (FileExistsError)    an output is already there and --force was not given
      UnknownNameError      (LookupError)        a name that no registry, genome or table knows
      DependencyError       (ImportError)        an optional package is not installed
      CheckFailed           (RuntimeError)       a check that was asked for did not pass (exit code 3)
      Interrupted           (RuntimeError)       stopped by the user; the message says how to resume

A message has three parts: what is wrong with the actual value and where, what was expected, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SeqdlError(Exception):
    """Base of every error that seqdl raises on purpose."""


class InputError(SeqdlError, ValueError):
    """A value, an option or the data is wrong."""


class FormatError(InputError):
    """A file does not hold what its format asks for."""


class ShapeError(InputError):
    """An array or a tensor has the wrong shape."""


class DataError(InputError):
    """The examples cannot serve: too few, one class only, nothing left."""


class NoFiltersError(InputError):
    """A network has no convolution over the bases, so it has no filters to read as motifs."""


class MissingFileError(SeqdlError, FileNotFoundError):
    """A file or folder that should be there is not."""


class OutputExistsError(SeqdlError, FileExistsError):
    """An output is already there and overwriting was not asked for."""


class DependencyError(SeqdlError, ImportError):
    """An optional package is not installed."""


class CheckFailed(SeqdlError, RuntimeError):
    """A check that was asked for did not pass."""


class Interrupted(SeqdlError, RuntimeError):
    """Work was stopped by the user; the message says how to go on."""


class UnknownNameError(SeqdlError, LookupError):
    """A name that no registry, genome or table knows.

    Parameters
    ----------
    kind : str
        What was looked for, such as ``"model"``.
    name : str
        The name that was given.
    known : iterable of str
        The names there are.
    hint : str, optional
        A further sentence on what to do.

    Examples
    --------
    >>> print(UnknownNameError("model", "cn", ["cnn", "lstm"]))
    no model named 'cn'. Did you mean 'cnn'? Available: cnn, lstm.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        self.kind, self.name, self.known = kind, name, list(known)
        near = difflib.get_close_matches(str(name), self.known, n=1, cutoff=0.5)
        guess = f" Did you mean '{near[0]}'?" if near else ""
        super().__init__(f"no {kind} named '{name}'.{guess} Available: {listing(self.known)}.{' ' + hint if hint else ''}")


def listing(names: Iterable[object], limit: int = 12) -> str:
    """Join names for a message, cut after `limit`.

    Examples
    --------
    >>> listing("abcd", limit=2)
    'a, b, ... (2 more)'
    """
    words = [str(name) for name in names]
    shown = ", ".join(words[:limit])
    return f"{shown}, ... ({len(words) - limit} more)" if len(words) > limit else shown or "none"
