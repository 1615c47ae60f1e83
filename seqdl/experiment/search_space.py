"""What a search may try: ranges and choices for keys of the config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError
from seqdl.registry import MODELS, TASKS, Registry

if TYPE_CHECKING:
    from seqdl.experiment.config import Config

FORM = "KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C was expected, such as training.lr=1e-3:1e-1:log or model.filters=32,64,128"


@dataclass(frozen=True)
class Choices:
    """One of several values.

    Parameters
    ----------
    values : tuple
        Numbers or words.
    """

    values: tuple[Any, ...]

    def suggest(self, trial: Any, key: str) -> Any:
        """Return what a trial of Optuna takes."""
        return trial.suggest_categorical(key, list(self.values))

    def first(self) -> Any:
        """Return one that is allowed."""
        return self.values[0]


@dataclass(frozen=True)
class Range:
    """A number between two, both included; whole where both ends are.

    Parameters
    ----------
    low, high : int or float
    log : bool, default False
        Try each order of magnitude as often.
    """

    low: float
    high: float
    log: bool = False

    def suggest(self, trial: Any, key: str) -> Any:
        """Return what a trial of Optuna takes."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(key, self.low, self.high, log=self.log)
        return trial.suggest_float(key, float(self.low), float(self.high), log=self.log)

    def first(self) -> Any:
        """Return one that is allowed."""
        return self.low


Space = dict[str, Range | Choices]


def parse_space(texts: Sequence[str]) -> Space:
    """Read what may be tried.

    Parameters
    ----------
    texts : sequence of str
        KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C; a key is that of a config, such as training.lr.

    Raises
    ------
    InputError
        If one is none of these, or a key is given twice.

    Examples
    --------
    >>> parse_space(["training.lr=1e-3:1e-1:log", "model.filters=32,64"])
    {'training.lr': Range(low=0.001, high=0.1, log=True), 'model.filters': Choices(values=(32, 64))}
    """
    space: Space = {}
    for text in texts:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not key or not values:
            raise InputError(f"--search {text}: {FORM}.")
        if key in space:
            raise InputError(f"--search {text}: {key} was given before. Give each key once.")
        space[key] = _range(values, text) if ":" in values else Choices(tuple(_value(word, text) for word in values.split(",")))
    return space


def _range(values: str, text: str) -> Range:
    """Return LOW:HIGH or LOW:HIGH:log as a range."""
    ends, log = values.split(":"), False
    if len(ends) == 3 and ends[2] == "log":
        ends, log = ends[:2], True
    numbers = [_value(end, text) for end in ends]
    if len(numbers) != 2 or not all(isinstance(number, int | float) for number in numbers):
        raise InputError(f"--search {text}: {FORM}.")
    low, high = numbers
    if not low < high or (log and low <= 0):
        raise InputError(f"--search {text}: a range from {low} to {high}{', by order of magnitude' if log else ''} holds nothing. Give a wider one.")
    return Range(low, high, log)


def _value(word: str, text: str) -> Any:
    """Return a word as a whole number, a number, or as it is."""
    word = word.strip()
    if not word:
        raise InputError(f"--search {text}: {FORM}.")
    for convert in (int, float):
        try:
            return convert(word)
        except ValueError:
            continue
    return word


def default_space(config: Config) -> Space:
    """Return what is tried where nothing is named: rate and decay of the training, dropout and numbers of channels of this network.

    Parameters
    ----------
    config : Config
        Without `auto`.
    """
    space: Space = {"training.lr": Range(1e-3, 1e-1, log=True), "training.weight_decay": Range(1e-4, 1e-1, log=True)}
    parts: tuple[tuple[Registry, dict[str, Any]], ...] = ((MODELS, config.model), (TASKS, config.task))
    for registry, chosen in parts:
        options = registry.options(chosen["name"])
        if "dropout" in options:
            space[f"{registry.kind}.dropout"] = Range(0.0, 0.6)
        filters = chosen.get("filters", options["filters"].default if "filters" in options else None)
        if isinstance(filters, int):
            space[f"{registry.kind}.filters"] = Choices((max(1, filters // 2), filters, 2 * filters))
    return space
