"""A word for the user where compiled code is made on the first run."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdl.cli.console import Console


@contextlib.contextmanager
def patience(console: Console, what: str, *, after_s: float = 2.5) -> Iterator[None]:
    """Say once on stderr that a step compiles its code on the first run ever, if it takes longer than `after_s` seconds.

    Parameters
    ----------
    console : Console
        Where to say it.
    what : str
        The step, such as ``"motif matching"``.
    after_s : float, default 2.5
        Seconds to keep quiet.
    """
    text = f"{what} is still at work; the first run after an installation compiles its code, which takes up to a minute, once"
    timer = threading.Timer(after_s, console.note, args=(text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
