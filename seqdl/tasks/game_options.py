"""What a game of generator and critic can be played with."""

from __future__ import annotations

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.adversary import LOSSES


def check_game(length: int | None, *, strands: str, loss: str, steps: tuple[int, int], rate: float, shares: tuple[float, float], stop: str) -> None:
    """Raise for options that no game can be played with."""
    if length is None:
        raise InputError("a GAN was asked for without a length: it writes sequences of one length. Give the task length=BP.")
    if strands not in ("single", "augment"):
        raise InputError(f"strands '{strands}' were asked for: a GAN writes one strand. Say single, or augment to see both in training.")
    if loss not in LOSSES:
        raise UnknownNameError("loss of the game", loss, LOSSES)
    if stop not in ("collapsed", "never"):
        raise UnknownNameError("reason to stop", stop, ("collapsed", "never"))
    (critic_steps, select), (average, settle) = steps, shares
    if min(critic_steps, select) < 1 or rate <= 0 or not 0 <= average < 1 or not 0 <= settle <= 1:
        raise InputError(
            f"critic_steps {critic_steps}, select {select}, rate {rate}, average {average} and settle {settle} were given: 1 or more, "
            "1 or more, above 0, from 0 to less than 1, and from 0 to 1 were expected. Give such numbers."
        )
