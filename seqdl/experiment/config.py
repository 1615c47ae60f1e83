"""The configuration of a training: one dataclass a section; its fields are the flags and the YAML keys."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from seqdl.errors import FormatError, InputError, UnknownNameError
from seqdl.experiment.data_config import DataConfig
from seqdl.experiment.option import COUNT, SEEDS, option
from seqdl.experiment.training_config import TrainingConfig
from seqdl.registry import MODELS, TASKS, Registry


@dataclass
class Config:
    """Everything that makes a run; what it leaves open is `auto`."""

    data: DataConfig = field(default_factory=DataConfig)
    model: dict[str, Any] = field(default_factory=lambda: {"name": "auto"})
    task: dict[str, Any] = field(default_factory=lambda: {"name": "auto"})
    training: TrainingConfig = field(default_factory=TrainingConfig)
    members: int | None = option(None, "networks in the ensemble; default: 6 for --model auto, 1 for a named one", metavar="N", within=COUNT)
    ensemble: list[dict[str, Any]] = field(default_factory=list)
    strands: str | None = option(
        None, "default: shared for unstranded peaks and FASTA, single for stranded BED", choices=("shared", "average", "augment", "single")
    )
    database: str = option("jaspar", "jaspar, jaspar:GROUP (fungi, vertebrates, ...) or a MEME, JASPAR or TRANSFAC file", is_path=True, metavar="DB")
    seed: int = option(0, "seed of every random choice", metavar="N", within=SEEDS)
    device: str = option("auto", "auto, cpu, cuda or mps")

    def to_dict(self) -> dict[str, Any]:
        """Return plain nested dictionaries."""
        return dataclasses.asdict(self)


WORDS_OR_FILES = ("database", "negatives")
SECTIONS: dict[str, type[Any]] = {"data": DataConfig, "training": TrainingConfig}


def read_config(path: Path) -> dict[str, Any]:
    """Read a YAML config as nested dictionaries; relative paths in it are taken from its own folder.

    Raises
    ------
    FormatError
        If it is no YAML mapping.
    """
    import yaml

    from seqdl.io.files import open_text

    try:
        with open_text(path) as handle:
            found = yaml.safe_load(handle) or {}
    except yaml.YAMLError as error:
        raise FormatError(f"{path}: not readable as YAML: {' '.join(str(error).split())}. Compare it with a file in configs/.") from None
    if not isinstance(found, dict):
        raise FormatError(f"{path}: holds a {type(found).__name__}; a mapping such as 'data: ...' was expected. Compare it with a file in configs/.")
    for section, key in path_keys():
        holder = found if section is None else found.get(section)
        if isinstance(holder, dict) and holder.get(key) is not None:
            holder[key] = _resolve(holder[key], path.resolve().parent, is_word=key in WORDS_OR_FILES)
    return found


def path_keys() -> list[tuple[str | None, str]]:
    """Return (section, key) of every field that names a file."""
    keys: list[tuple[str | None, str]] = [(name, f.name) for name, cls in SECTIONS.items() for f in fields(cls) if f.metadata.get("is_path")]
    return [*keys, (None, "database"), ("data", "negatives")]


def _resolve(value: Any, base: Path, *, is_word: bool) -> Any:
    """Return a path or a list of paths as absolute ones; what may be a word too, such as gc or jaspar, only where it names a file."""
    if isinstance(value, list):
        return [_resolve(one, base, is_word=is_word) for one in value]
    name, equals, file = str(value).partition("=")
    if equals and not (base / str(value)).exists():  # a class and its file
        return f"{name}={_resolve(file, base, is_word=is_word)}"
    path = base / Path(str(value)).expanduser()
    return value if value == "-" or (is_word and not path.is_file()) else str(path.resolve())


def make_config(nested: Mapping[str, Any]) -> Config:
    """Check nested dictionaries against the dataclasses and the registries.

    Raises
    ------
    UnknownNameError
        If a key, a model, a task or an option of theirs is not known; the message offers the nearest.
    InputError
        If a value has the wrong type.

    Examples
    --------
    >>> make_config({"data": {"window": 100}, "training": {"lr": "1e-3"}}).training.lr
    0.001
    """
    known = {f.name for f in fields(Config)}
    for key in nested:
        if key not in known:
            raise UnknownNameError("config key", key, sorted(known))
    values: dict[str, Any] = {name: _section(cls, nested.get(name) or {}, name) for name, cls in SECTIONS.items()}
    values["model"] = _component(MODELS, nested.get("model"))
    values["task"] = _component(TASKS, nested.get("task"))
    members = nested.get("ensemble") or []
    if not isinstance(members, list):
        raise InputError(f"config: ensemble is {members!r}; a list of mappings with the keys model and task was expected.")
    values["ensemble"] = [_member(one) for one in members]
    plain = {key: value for key, value in nested.items() if key not in values}
    return Config(**values, **_typed(Config, plain, ""))


def config_of_run(nested: Mapping[str, Any]) -> Config:
    """Return the config that a run was trained with; what was no option at that time is as it was then.

    Examples
    --------
    >>> config_of_run({"data": {"peaks": "p.bed"}}).data.context, config_of_run({"data": {"context": 100}}).data.context
    (0, 100)
    """
    config = make_config(nested)
    if "context" not in (nested.get("data") or {}):
        config.data.context = 0  # networks read their windows alone
    return config


def _section(cls: type[Any], values: Mapping[str, Any], name: str) -> Any:
    if not isinstance(values, Mapping):
        raise InputError(f"config: {name} is {values!r}; a mapping of options was expected. See configs/ for examples.")
    known = [f.name for f in fields(cls)]
    for key in values:
        if key not in known:
            raise UnknownNameError(f"option in the config section '{name}'", key, known)
    return cls(**_typed(cls, values, name + "."))


def _typed(cls: type[Any], values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the values brought to their fields' types, choices checked."""
    hints = get_type_hints(cls)
    typed = {}
    for f in fields(cls):
        if f.name in values:
            value = coerce(values[f.name], hints[f.name], prefix + f.name)
            choices = f.metadata.get("choices")
            if choices and value is not None and value not in choices:
                raise UnknownNameError(f"value for {prefix}{f.name}", str(value), choices)
            low, high = f.metadata.get("within") or (-math.inf, math.inf)
            if value is not None and f.metadata.get("within") and not low <= value <= high:
                expected = f"{low:.10g} or more" if high == math.inf else f"{low:.10g} to {high:.10g}"
                raise InputError(f"{prefix}{f.name} is {value}: {expected} was expected. Give {prefix}{f.name} such a value.")
            typed[f.name] = value
    return typed


def _component(registry: Registry, given: Any) -> dict[str, Any]:
    """Return {"name": ..., option: ...}, checked against the constructor's signature."""
    if not isinstance(given, str | Mapping | None) or (isinstance(given, Mapping) and not isinstance(given.get("name"), str | None)):
        raise InputError(f"config: {registry.kind} is {given!r}; a name, or a mapping of name and options, was expected. See configs/ for examples.")
    given = dict(given) if isinstance(given, Mapping) else {"name": given}
    name = given.pop("name", None) or "auto"
    if name == "auto":
        if given:
            raise InputError(f"options {', '.join(given)} were given for the {registry.kind} 'auto': name the {registry.kind} they are meant for.")
        return {"name": "auto"}
    registry.check_options(name, given)
    return {"name": name, **typed_options(registry, name, given)}


def _member(given: Any) -> dict[str, Any]:
    """Return {"model": ..., "task": ...} of one further member of an ensemble, checked."""
    if not isinstance(given, Mapping) or set(given) - {"model", "task"}:
        raise InputError(f"config: ensemble holds {given!r}; a list of mappings with the keys model and task was expected.")
    return {"model": _component(MODELS, given.get("model")), "task": _component(TASKS, given.get("task"))}


def typed_options(registry: Registry, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return constructor options brought to the types of the constructor's signature."""
    hints = get_type_hints(registry.get(name).__init__)
    return {key: coerce(value, hints.get(key, Any), f"{registry.kind}.{key}") for key, value in given.items()}


def coerce(value: Any, hint: Any, name: str) -> Any:
    """Bring a value from a flag or YAML to the type of its field.

    Raises
    ------
    InputError
        If it cannot be read as that type.

    Examples
    --------
    >>> coerce("1e-3", float, "lr"), coerce("7", int | None, "n"), coerce("3,5", tuple[int, ...], "widths")
    (0.001, 7, (3, 5))
    """
    optional = type(None) in get_args(hint)
    kind = next(t for t in get_args(hint) if t is not type(None)) if optional else hint
    if optional and (value is None or str(value).lower() in ("null", "none")):
        return None
    origin = getattr(kind, "__origin__", kind)
    if origin is Any:
        return value
    if origin in (list, tuple):
        items = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
        return origin(coerce(item, get_args(kind)[0], name) for item in items)
    convert, wanted = _CONVERTERS.get(origin, (_word, f"a {origin}"))
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} is {value!r}: {wanted} was expected. Give {name} such a value.") from None


def _truth(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).lower() not in words:
        raise ValueError(value)
    return words[str(value).lower()]


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError(value)
    return float(value)


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _word(value: Any) -> Any:
    if value is None or isinstance(value, dict | list | tuple):
        raise ValueError(value)
    return str(value)


_CONVERTERS: Mapping[Any, tuple[Callable[[Any], Any], str]] = {
    bool: (_truth, "true or false"),
    int: (_whole, "a whole number"),
    float: (_number, "a number"),
    str: (_word, "a word"),
    dict: (dict, "a mapping"),
}


def apply_setting(nested: dict[str, Any], setting: str) -> None:
    """Set one dotted key, as in ``training.lr=1e-3``, in nested dictionaries.

    Raises
    ------
    InputError
        If there is no '='.

    Examples
    --------
    >>> nested = {"model": "cnn"}
    >>> apply_setting(nested, "model.filters=32")
    >>> nested
    {'model': {'name': 'cnn', 'filters': 32}}
    """
    import yaml

    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise InputError(f"--set {setting}: KEY=VALUE was expected, such as --set training.lr=1e-3.")
    *sections, last = key.strip().split(".")
    for section in sections:
        inner = nested.get(section)
        inner = {"name": inner} if isinstance(inner, str) else (inner or {})
        nested[section] = inner
        nested = inner
    try:
        nested[last] = yaml.safe_load(text)
    except yaml.YAMLError:
        raise InputError(
            f"--set {setting}: the value cannot be read: a number, a word or a [list, of, them] was expected. Quote it if need be."
        ) from None


def dump_config(config: Config) -> str:
    """Return a config as YAML."""
    import yaml

    return yaml.safe_dump(_plain(config.to_dict()), sort_keys=False, width=140)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value
