"""What makes a processor train faster: number of threads, precision, memory that is kept."""

from __future__ import annotations

import contextlib
import ctypes
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from seqdl.errors import InputError

if TYPE_CHECKING:
    from seqdl.tasks.base import Task

SMALL_STEP_FLOPS = 3e8
"""Forward operations in a batch below which a second thread gains little on free cores and costs much on busy ones."""
CPUINFO = Path("/proc/cpuinfo")
MIB = 1 << 20
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, MMAP_MAX = -1, -2, -3, -4
"""The parameters of glibc's mallopt, as malloc.h numbers them."""
KEEP = ((MMAP_MAX, 0), (TRIM_THRESHOLD, -1), (TOP_PAD, 256 * MIB))
GIVE_BACK = ((MMAP_MAX, 65_536), (TRIM_THRESHOLD, 64 * MIB), (TOP_PAD, MIB // 8), (MMAP_THRESHOLD, 32 * MIB))
"""The thresholds are where glibc's own, which move, end in a program with large arrays."""


class Precision(NamedTuple):
    """The numbers of the forward pass, and why these."""

    name: str
    reason: str

    @property
    def plugin(self) -> Any:
        """Lightning's word for it."""
        return {"fp32": "32-true", "bf16": "bf16-mixed"}[self.name]


def choose_precision(asked: str, device: str, *, cpuinfo: Path = CPUINFO) -> Precision:
    """Return the precision for a device; of `auto` bf16 only where it is known to be faster.

    Parameters
    ----------
    asked : {"fp32", "bf16", "auto"}
    device : {"cpu", "cuda", "mps"}
    cpuinfo : Path
        Where Linux tells what the processor can do.

    Raises
    ------
    InputError
        If bf16 is asked for and the device cannot.

    Examples
    --------
    >>> choose_precision("auto", "mps")
    Precision(name='fp32', reason='bf16 is not known to be faster on mps')
    """
    if asked == "bf16" and device == "mps":
        raise InputError("--precision bf16 was given for mps, which trains in fp32: auto or fp32 was expected. Leave it out.")
    if asked != "auto":
        return Precision(asked, "as asked for")
    if device == "cuda":
        import torch

        able = torch.cuda.get_device_capability()[0] >= 8
        return Precision("bf16", "this GPU has units for it") if able else Precision("fp32", "this GPU has no units for bf16")
    if device == "cpu":
        found = cpuinfo.is_file() and "amx_bf16" in cpuinfo.read_text().split()
        return (
            Precision("bf16", "this processor has AMX for it")
            if found
            else Precision("fp32", "this processor has no AMX, without which bf16 may be no faster")
        )
    return Precision("fp32", f"bf16 is not known to be faster on {device}")


@contextlib.contextmanager
def few_threads(task: Task, shape: tuple[int, int, int], *, share: int = 1) -> Iterator[None]:
    """Train a small network on one thread of the processor: sharing out its steps costs more than it gains.

    The choice depends on the network alone, never on a measurement, so that a run repeats to the last digit.

    Parameters
    ----------
    task : Task
    shape : tuple of 3 int
        Of a batch: examples, input channels, length (bp).
    share : int, default 1
        Processes of this machine among which the processor's threads are shared out.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    before = torch.get_num_threads()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter, contextlib.suppress(RuntimeError, TypeError, ValueError):
        task.eval()(torch.zeros(shape))
    task.train()
    if share > 1:
        torch.set_num_threads(max(1, before // share))
    if counter.get_total_flops() / len(getattr(task, "members", [task])) < SMALL_STEP_FLOPS:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def kept_memory(*, give_back: bool = False) -> Iterator[bool]:
    """Let the C library keep memory that was freed, on Linux with glibc, and give it back at the end.

    Otherwise the activations of every step are given back to the system and asked for again, page by page, which costs a third of the
    time where sequences are long.

    Parameters
    ----------
    give_back : bool, default False
        Leave everything as it is.

    Yields
    ------
    bool
        Whether memory is kept.
    """
    if give_back or platform.libc_ver()[0] != "glibc":
        yield False
        return
    library = ctypes.CDLL(None)
    for parameter, value in KEEP:
        library.mallopt(parameter, value)
    try:
        yield True
    finally:
        for parameter, value in GIVE_BACK:
            library.mallopt(parameter, value)
        library.malloc_trim(0)
