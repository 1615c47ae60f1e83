"""Names in a config <-> classes.

A registry reads its package when it is first asked, so a new file in the package is found with
no other edit, and nothing is imported before it is needed.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from seqdl.errors import InputError, UnknownNameError

C = TypeVar("C", bound=type[Any])


@dataclass
class Registry:
    """A table of named classes that fills itself from a package.

    Parameters
    ----------
    kind : str
        The word used in messages, such as ``"model"``.
    package : str
        The package whose modules register their classes when imported.
    """

    kind: str
    package: str
    _classes: dict[str, type[Any]] = field(default_factory=dict)
    _loaded: bool = False

    def register(self, name: str) -> Callable[[C], C]:
        """Register the decorated class under `name`."""

        def decorate(cls: C) -> C:
            other = self._classes.get(name)
            if other is not None and other.__qualname__ != cls.__qualname__:
                raise InputError(f"two {self.kind}s are named '{name}': {other.__qualname__} and {cls.__qualname__}. Rename one of them.")
            self._classes[name] = cls
            return cls

        return decorate

    def _load(self) -> None:
        if self._loaded:
            return
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        self._loaded = True

    def names(self) -> list[str]:
        """Return the sorted names of everything registered."""
        self._load()
        return sorted(self._classes)

    def get(self, name: str) -> type[Any]:
        """Return the class called `name`.

        Raises
        ------
        UnknownNameError
            If there is none; the message offers the nearest name.
        """
        self._load()
        if name not in self._classes:
            raise UnknownNameError(self.kind, name, self.names())
        return self._classes[name]

    def name_of(self, cls: type[Any]) -> str:
        """Return the name under which `cls` is registered."""
        for name, known in self._classes.items():
            if known is cls:
                return name
        raise UnknownNameError(self.kind, cls.__qualname__, self.names(), hint="Register the class with @REGISTRY.register(name).")

    def options(self, name: str) -> dict[str, inspect.Parameter]:
        """Return the constructor options of `name`: the config schema."""
        parameters = inspect.signature(self.get(name)).parameters
        return {key: p for key, p in parameters.items() if p.kind is not inspect.Parameter.VAR_KEYWORD}

    def check_options(self, name: str, options: dict[str, Any]) -> None:
        """Raise `UnknownNameError` if `options` has a key the constructor of `name` lacks."""
        known = self.options(name)
        for key in options:
            if key not in known:
                raise UnknownNameError(f"option of {self.kind} '{name}'", key, known)


MODELS = Registry("model", "seqdl.models")
TASKS = Registry("task", "seqdl.tasks")
