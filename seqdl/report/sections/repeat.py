"""How to run it again: command, seed, versions, inputs."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import Any

from seqdl.report.folder import RunFolder
from seqdl.report.section import Section

FIRST_DIGITS = 16


def repeat(run: RunFolder) -> Section:
    """Return everything a second run needs."""
    title = "How to repeat it"
    manifest = run.manifest
    if not manifest and not run.config:
        return Section("repeat", title, absent="This run folder holds neither manifest.json nor config.yaml, so the run cannot be repeated from it.")
    command = manifest.get("command") or ""
    words = shlex.join(map(str, command)) if isinstance(command, list) else str(command)
    seed = manifest.get("seed", run.config.get("seed"))
    facts = [
        (name, str(value)) for name, value in (("seed", seed), ("device", manifest.get("device") or run.config.get("device"))) if value is not None
    ]
    versions = manifest.get("versions")
    inputs = [(PurePath(path).name, str(path), _digest(entry)) for path, entry in (manifest.get("inputs") or {}).items()]
    path = run.path / "config.yaml"
    values = {
        "command": words,
        "facts": facts,
        "versions": sorted(versions.items()) if isinstance(versions, dict) else [],
        "inputs": inputs,
        "config": path.read_text(encoding="utf-8").strip() if run.config else "",
    }
    return Section("repeat", title, "The same inputs, versions, device and seed give the same network.", values)


def _digest(entry: Any) -> str:
    found = str(entry.get("sha256") or "") if isinstance(entry, dict) else ""
    return found[:FIRST_DIGITS]
