"""The two meanings of --output where a verb takes an output of the network and writes into a folder."""

from __future__ import annotations

import argparse

from seqdl.errors import InputError, UnknownNameError


def add_output_flags(parser: argparse.ArgumentParser) -> None:
    """Add -o DIR and --output NAME."""
    parser.add_argument("-o", dest="folder", metavar="DIR", help="folder to write into")
    parser.add_argument("--output", metavar="NAME", help="which output of the network, by name (default: the first); without -o also the folder")


def folder_and_output(options: argparse.Namespace, outputs: list[str]) -> tuple[str, int]:
    """Return the folder to write into, and the number of the network's output.

    ``--output`` names an output of the network where it has one of that name; else, without ``-o``, it names the folder, as for other verbs.

    Raises
    ------
    InputError
        If no folder is named.
    UnknownNameError
        If the network has no such output.
    """
    name, folder = options.output, options.folder
    if name is not None and name not in outputs and folder is None:
        name, folder = None, name
    if folder is None:
        raise InputError("no folder was named to write into; one was expected. Add -o DIR.")
    if name is not None and name not in outputs:
        raise UnknownNameError("output of this network", name, outputs)
    return folder, 0 if name is None else outputs.index(name)
