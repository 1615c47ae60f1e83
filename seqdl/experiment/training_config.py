"""The section `training` of a config: how the network is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seqdl.experiment.option import COUNT, NOT_NEGATIVE, option

OPTIMISERS = ("adamw", "adam", "rmsprop", "momentum", "sgd")
SCHEDULES = ("one-cycle", "cosine", "warmup-cosine", "warmup", "step", "plateau", "constant")
CALIBRATIONS = ("auto", "none", "platt", "temperature", "isotonic")
PRECISIONS = ("fp32", "bf16", "auto")
LOGGERS = ("csv", "tensorboard", "wandb")


@dataclass
class TrainingConfig:
    """How the network is trained."""

    max_steps: int | None = option(None, "optimiser steps; default: by the number of positives", metavar="N", within=COUNT)
    max_epochs: int | None = option(None, "passes over the training set, instead of steps", metavar="N", within=COUNT)
    batch_size: int = option(64, "examples in a batch", metavar="N", within=(2, math.inf))
    lr: float = option(0.01, "learning rate; the peak where it rises or falls", metavar="RATE", within=(1e-9, 100))
    find_lr: bool = option(False, "find the learning rate before training, by a range test on the training split")
    optimiser: str = option("adamw", "what moves the weights; momentum: SGD with momentum", choices=OPTIMISERS)
    schedule: str = option("one-cycle", "how the learning rate changes; the first and those with warmup rise at first", choices=SCHEDULES)
    weight_decay: float = option(0.01, "weight decay; with another optimiser than adamw it is part of the gradient", metavar="W", within=NOT_NEGATIVE)
    warmup: float = option(0.25, "share of the steps in which the learning rate rises", metavar="SHARE", within=(0, 1))
    momentum: float = option(0.9, "of the optimiser momentum", metavar="M", within=(0, 0.999))
    decay: float = option(0.1, "factor on the learning rate, with --schedule step or plateau", metavar="F", within=(1e-6, 1))
    decay_every: float = option(0.3, "share of the steps after which --schedule step applies it", metavar="SHARE", within=(0.001, 1))
    plateau: int = option(3, "epochs without a better validation score after which --schedule plateau applies it", metavar="N", within=NOT_NEGATIVE)
    l1: float = option(0.0, "penalty on the sum of the absolute weights of kernels and matrices", metavar="W", within=NOT_NEGATIVE)
    l2: float = option(0.0, "penalty on half the sum of their squares", metavar="W", within=NOT_NEGATIVE)
    clip: float = option(5.0, "largest norm of the gradient; 0: any", metavar="NORM", within=NOT_NEGATIVE)
    positive_share: float = option(0.4, "share of positives in a training batch; 0: as they come", metavar="SHARE", within=(0, 0.99))
    balance: bool = option(False, "draw every class equally often in a training batch, also of more than two")
    patience: int = option(0, "epochs without a better validation score before stopping; 0: never", metavar="N", within=NOT_NEGATIVE)
    jitter: int = option(0, "move training windows by up to so many bp, either way, over the genome's own bases", metavar="BP", within=NOT_NEGATIVE)
    mask: float = option(0.0, "share of the bases of a training sequence that are made ambiguous", metavar="SHARE", within=(0, 0.99))
    mutate: float = option(0.0, "share of the bases of a training sequence that are replaced by another", metavar="SHARE", within=(0, 0.75))
    init: str | None = option(None, "run folder, or checkpoint, whose encoder training starts from", is_path=True, metavar="RUN")
    init_motifs: str | None = option(
        None,
        "file of motifs (MEME, JASPAR, TRANSFAC) that the first filters start from, as log-odds",
        is_path=True,
        metavar="FILE",
    )
    freeze: str | None = option(None, "weights of the encoder that stay as they are: all, the first N layers, or names", metavar="all|N|LAYER,...")
    encoder_lr: float | None = option(None, "learning rate of the encoder; default: that of the head", metavar="RATE", within=(0, 100))
    calibration: str = option("auto", "what is fitted on the validation split; auto: platt for yes or no, else nothing", choices=CALIBRATIONS)
    keep: str = option("best", "weights that count: best on validation, or those of the last step", choices=("best", "last"))
    precision: str = option("fp32", "numbers of the forward pass; auto: bf16 where it is known to be faster, and it is said", choices=PRECISIONS)
    logger: str = option("csv", "where epochs are also logged; log.csv is always written", choices=LOGGERS)
    workers: int = option(0, "loader processes", metavar="N", within=NOT_NEGATIVE)
    give_memory_back: bool = option(False, "give memory back to the system at every step; without it, training on Linux keeps it until its end")
