"""`seqdl logo`: logos of motifs, of aligned sequences, and of attributions."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdl.cli.console import Console
    from seqdl.motif.motif import Motif

EPILOG = """examples:
  seqdl logo my.meme -o logos/                     one SVG a motif
  seqdl logo my.meme -o all.svg                    all motifs below each other
  seqdl logo jaspar:fungi --motif REB1 -o reb1.png
  seqdl logo sites.fa -o sites.svg                 aligned sequences of equal length
  seqdl logo run/attributions/examples.npz -o tracks/"""
ENDINGS = (".svg", ".png", ".pdf", ".jpg", ".jpeg")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "file", metavar="FILE", help="motifs (MEME, JASPAR, TRANSFAC, PFM; .gz; or jaspar:fungi), aligned FASTA, attributions (.npz), or - for stdin"
    )
    parser.add_argument("-o", "--output", default="-", metavar="OUT.svg|DIR", help="a picture (.svg .png .pdf .jpg) or a folder (default: stdout)")
    parser.add_argument("--motif", nargs="+", metavar="NAME", help="draw only the motifs of these names")
    parser.add_argument("--kind", choices=("bits", "probability"), default="bits", help="height of the letters (default bits)")
    parser.add_argument("--reverse-complement", action="store_true", help="draw the other strand")
    parser.add_argument("--format", choices=[ending[1:] for ending in ENDINGS], default="svg", help="format of pictures in a folder (default svg)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Draw and say what was written."""
    pictures = _tracks(options) if options.file.lower().endswith(".npz") else _logos(options)
    if options.output == "-":
        if not console.json_mode:
            pictures.sheet("-")
        written = []
    elif Path(options.output).suffix.lower() in ENDINGS and not Path(options.output).is_dir():
        pictures.sheet(options.output)
        written = [options.output]
    else:
        written = pictures.folder(Path(options.output))
    console.note(f"{len(pictures.names)} drawn" + (f", {options.output}" if written else ""))
    console.emit({"names": pictures.names, "outputs": written})
    return 0


class _Pictures:
    """Named pictures, each of which can be written to a file, or all to one."""

    def __init__(self, names: list[str], *, write: Callable[[int, str], None], sheet: Callable[[str], None], options: argparse.Namespace) -> None:
        self.names, self.write, self.sheet, self.options = names, write, sheet, options

    def folder(self, folder: Path) -> list[str]:
        """Write every picture into a folder; nothing is written if one of them is there already."""
        from seqdl.errors import InputError, OutputExistsError

        if folder.exists() and not folder.is_dir():
            raise InputError(f"'{folder}' is a file, and its ending names no picture; expected a folder or a picture's name. Rename the output.")
        paths = [folder / f"{name}.{self.options.format}" for name in _file_names(self.names)]
        there = [path for path in paths if path.exists()]
        if there and not self.options.force:
            raise OutputExistsError(
                f"{len(there)} of {len(paths)} pictures are there already, first {there[0]}; none was written. Pass --force to overwrite."
            )
        folder.mkdir(parents=True, exist_ok=True)
        for i, path in enumerate(paths):
            self.write(i, str(path))
        return [str(path) for path in paths]


def _logos(options: argparse.Namespace) -> _Pictures:
    """Return the logos of motifs or of aligned sequences."""
    from seqdl.errors import InputError
    from seqdl.io.files import writing
    from seqdl.plot.logos import save_logo
    from seqdl.plot.svg_logos import GREY, logo_sheet

    motifs = _chosen(_motifs(options.file), options)
    drawing = {"kind": options.kind, "reverse_complement": options.reverse_complement}

    def write(i: int, path: str) -> None:
        save_logo(motifs[i], path, force=options.force, **drawing)

    def sheet(path: str) -> None:
        if len(motifs) == 1:
            return write(0, path)
        if path != "-" and not path.lower().endswith(".svg"):
            raise InputError(f"{options.file} holds {len(motifs)} motifs; '{path}' takes one, .svg or a folder all. Choose one with --motif.")
        with writing(path, force=options.force) as stream:
            stream.write(logo_sheet(motifs, ink=GREY, **drawing) + "\n")
        return None

    return _Pictures([motif.label for motif in motifs], write=write, sheet=sheet, options=options)


def _motifs(file: str) -> list[Motif]:
    """Read motifs, or make one of aligned sequences."""
    from seqdl.io.databases import is_database, load_database
    from seqdl.io.files import open_text
    from seqdl.io.motifs import motif_format, parse_alignment, parse_motifs

    if is_database(file):
        return load_database(file)
    with open_text(file) as stream:
        lines = list(stream)
    return [parse_alignment(lines, file)] if motif_format(lines) == "fasta" else parse_motifs(lines, file)


def _chosen(motifs: list[Motif], options: argparse.Namespace) -> list[Motif]:
    """Return the motifs that are asked for by either of their names."""
    from seqdl.errors import UnknownNameError

    if not options.motif:
        return motifs
    known = {name.lower() for motif in motifs for name in (motif.name, motif.alt_name, motif.label)}
    for name in options.motif:
        if name.lower() not in known:
            raise UnknownNameError("motif", name, [motif.label for motif in motifs], hint=f"They are those of {options.file}.")
    wanted = {name.lower() for name in options.motif}
    return [motif for motif in motifs if wanted & {motif.name.lower(), motif.alt_name.lower(), motif.label.lower()}]


def _tracks(options: argparse.Namespace) -> _Pictures:
    """Return the tracks of attributions."""
    from seqdl.errors import InputError
    from seqdl.io.attributions import read_attributions
    from seqdl.io.files import writing
    from seqdl.plot.svg_logos import GREY
    from seqdl.plot.tracks import track_svg
    from seqdl.sequence.encode import one_hot

    names, codes, attributions = read_attributions(options.file)
    if options.format != "svg" or Path(options.output).suffix.lower() in ENDINGS[1:]:
        raise InputError(f"tracks of attributions are drawn as SVG; '{options.output}' as {options.format} is not. Use .svg or a folder.")

    def draw(i: int, path: str) -> None:
        with writing(path, force=options.force) as stream:
            stream.write(track_svg(attributions[i], one_hot(codes[i]), title=names[i]).replace("<svg ", f'<svg color="{GREY}" ', 1) + "\n")

    def sheet(path: str) -> None:
        if len(names) > 1:
            raise InputError(f"{options.file} holds {len(names)} sequences; one picture takes one track. Name a folder with -o.")
        draw(0, path)

    return _Pictures(names, write=draw, sheet=sheet, options=options)


def _file_names(names: list[str]) -> list[str]:
    """Return names that are safe as file names and differ, also where case does not count.

    Examples
    --------
    >>> _file_names(["MA0363.3 REB1", "a/b", "A/B"])
    ['MA0363.3_REB1', 'a_b', 'A_B_2']
    """
    import re

    taken: set[str] = set()
    result = []
    for name in names:
        stem = re.sub(r"[^\w.+=&{}-]", "_", name).strip(".")[:120] or "motif"
        unique, count = stem, 1
        while unique.lower() in taken:
            count += 1
            unique = f"{stem}_{count}"
        taken.add(unique.lower())
        result.append(unique)
    return result
