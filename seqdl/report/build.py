"""Build report.html from a run folder."""

from __future__ import annotations

import json
from pathlib import Path

from seqdl.io.files import sha256, writing
from seqdl.report.folder import RunFolder
from seqdl.report.page import render


def build_report(run: str | Path) -> Path:
    """Write the report of a run as one HTML page that fetches nothing.

    A part whose files are absent says so in words; the same folder gives the same page, byte by byte.
    Where manifest.json lists the page among its outputs, its checksum there is brought up to date.

    Parameters
    ----------
    run : path
        The folder that `seqdl train -o` wrote.

    Returns
    -------
    Path
        ``RUN/report.html``.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    InputError
        If it holds no run.
    FormatError
        If one of its files does not hold what it should.
    """
    folder = RunFolder(Path(run))
    page = render(folder)
    target = folder.path / "report.html"
    with writing(target, force=True) as stream:
        stream.write(page)
    _refresh_checksum(folder, target)
    return target


def _refresh_checksum(folder: RunFolder, target: Path) -> None:
    listed = folder.manifest.get("outputs")
    if isinstance(listed, dict) and isinstance(listed.get(target.name), dict):
        listed[target.name]["sha256"] = sha256(target)
        with writing(folder.path / "manifest.json", force=True) as stream:
            json.dump(folder.manifest, stream, indent=2)
            stream.write("\n")
