"""What an attribution method is, and the registry that finds them.

A new method is one file in this package: a frozen dataclass whose fields are its options, registered by
``@METHODS.register(name)`` and called with a readout and one-hot sequences.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from seqdl.interpret.readout import Readout
from seqdl.registry import Registry

METHODS = Registry("attribution method", "seqdl.interpret")


class Method(Protocol):
    """An attribution method with its options set."""

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return attributions (N, 4, L), float32 on the CPU, of one-hot `x` (N, 4, L); the module is in evaluation mode."""
        ...
