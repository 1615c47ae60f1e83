"""How a config field is declared that is also a flag."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any, TypeAlias

Bounds: TypeAlias = tuple[float, float]
COUNT: Bounds = (1, math.inf)
NOT_NEGATIVE: Bounds = (0, math.inf)
SEEDS: Bounds = (0, 2**32 - 1)


def option(
    default: Any, text: str, *, choices: tuple[str, ...] = (), is_path: bool = False, metavar: str | None = None, within: Bounds | None = None
) -> Any:
    """Declare a config field that is also a flag; `within` holds the least and the largest value."""
    metadata = {"help": text, "choices": choices, "is_path": is_path, "metavar": metavar, "within": within}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)
