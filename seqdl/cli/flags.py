"""Flags made from the config's dataclasses, and the config made from flags, YAML and --set."""

from __future__ import annotations

import argparse
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from seqdl.errors import InputError
from seqdl.experiment.config import SECTIONS, Config, apply_setting, make_config, path_keys, read_config

HIDDEN = ("fold", "n_folds", "seed", "device", "workers")  # set by --folds, or common to all verbs
YAML_ENDINGS = (".yaml", ".yml")


def add_config_flags(parser: argparse.ArgumentParser, sections: tuple[str, ...] = ("data", "training")) -> None:
    """Add a flag for every field of the named sections, and the model's, task's and run's own."""
    for name in sections:
        _add_fields(parser.add_argument_group(f"{name} options"), SECTIONS[name], name)


def add_run_flags(parser: argparse.ArgumentParser) -> None:
    """Add --model, --task and the flags of the config's top level."""
    group = parser.add_argument_group("network and run")
    group.add_argument("--model", metavar="NAME", help="auto (default) or one of seqdl models; its options are --model.OPTION VALUE")
    group.add_argument("--task", metavar="NAME", help="auto (default) or one of seqdl tasks; its options are --task.OPTION VALUE")
    _add_fields(group, Config, "")


def _add_fields(group: Any, cls: type[Any], section: str) -> None:
    for f in fields(cls):
        if not f.metadata or f.name in HIDDEN:
            continue
        flag, destination = "--" + f.name.replace("_", "-"), f"config:{section}.{f.name}".replace(":.", ":")
        default = f.default if f.default is not MISSING else None
        text = f.metadata["help"] + ("" if default in (None, False) or "default" in f.metadata["help"] else f" (default {default})")
        if f.type == "bool":
            group.add_argument(flag, dest=destination, action="store_const", const=True, help=text)
        else:
            many = "+" if str(f.type).startswith("list") else None
            group.add_argument(flag, dest=destination, nargs=many, choices=None, metavar=_metavar(f.metadata), help=text.replace("%", "%%"))


def _metavar(metadata: Any) -> str | None:
    return "{" + ",".join(metadata["choices"]) + "}" if metadata["choices"] else metadata["metavar"]


def nested_from_flags(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the flags say as nested dictionaries, on top of the YAML file where one is given."""
    nested: dict[str, Any] = {}
    inputs = list(getattr(options, "inputs", None) or [])
    files = [name for name in inputs if name.lower().endswith(YAML_ENDINGS)]
    fasta = [name for name in inputs if name not in files]
    files += [options.config] if getattr(options, "config", None) else []
    if len(files) > 1:
        raise InputError(f"{len(files)} configs were given ({', '.join(files)}): one was expected.")
    if files:
        nested = read_config(Path(files[0]))
    for key, value in vars(options).items():
        if key.startswith("config:") and value is not None:
            _put(nested, key.removeprefix("config:").split("."), value)
    if fasta:
        _put(nested, ["data", "fasta"], fasta)
    for name in ("model", "task"):
        if getattr(options, name, None):
            given = nested.get(name)
            same = isinstance(given, dict) and given.get("name") == getattr(options, name)
            nested[name] = given if same else {"name": getattr(options, name)}
    for key in ("seed", "device"):
        if getattr(options, key, None) is not None:
            nested[key] = getattr(options, key)
    if getattr(options, "workers", None) is not None:
        _put(nested, ["training", "workers"], options.workers)
    for key, text in getattr(options, "dotted", {}).items():
        apply_setting(nested, f"{key}={text}")
    for setting in getattr(options, "set", None) or []:
        apply_setting(nested, setting)
    return nested


def config_from_flags(options: argparse.Namespace) -> Config:
    """Return the config that flags, YAML and --set make together; files as absolute paths."""
    nested = nested_from_flags(options)
    for section, key in path_keys():
        holder = nested if section is None else nested.get(section)
        if isinstance(holder, dict) and holder.get(key) is not None:
            holder[key] = _absolute(holder[key])
    return make_config(nested)


def _absolute(value: Any) -> Any:
    if isinstance(value, list):
        return [_absolute(one) for one in value]
    name, equals, file = str(value).partition("=")
    if equals and not Path(str(value)).exists():  # a class and its file
        return f"{name}={_absolute(file)}"
    path = Path(str(value)).expanduser()
    return str(path.resolve()) if path.exists() else value


def _put(nested: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        if nested.get(key) is None:
            nested[key] = {}
        if not isinstance(nested[key], dict):
            raise InputError(f"config: {key} is {nested[key]!r}; a mapping of options was expected. See configs/ for examples.")
        nested = nested[key]
    nested[keys[-1]] = value
