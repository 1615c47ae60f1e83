"""What the command line says and where: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Console:
    """The only place that prints.

    Parameters
    ----------
    quiet : bool
        Say nothing on stderr but errors.
    json_mode : bool
        Results are JSON.
    """

    quiet: bool = False
    json_mode: bool = False

    def result(self, text: str) -> None:
        """Write a result to stdout, unless results are asked for as JSON."""
        if not self.json_mode:
            sys.stdout.write(text if text.endswith("\n") else text + "\n")

    def note(self, text: str) -> None:
        """Write a line for the reader to stderr."""
        if not self.quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def error(self, text: str) -> None:
        """Write an error to stderr."""
        sys.stderr.write(f"seqdl: error: {text}\n")

    def emit(self, content: Any) -> None:
        """Write a result as JSON to stdout, where that was asked for."""
        if self.json_mode:
            sys.stdout.write(json.dumps(content, indent=1, default=str) + "\n")
