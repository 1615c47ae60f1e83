"""What a network learned from sequences alone: what it writes, or what its latents are worth."""

from __future__ import annotations

from seqdl.report.folder import RunFolder
from seqdl.report.latent_map import latent_map
from seqdl.report.numbers import decimal
from seqdl.report.section import Section

SPACES = {"network": "latents of the network", "pca_one_hot": "as many principal components of one-hot", "pca_kmers": "as many of 5-mer counts"}
GOALS = (
    "Giving bases back and telling kinds of sequence apart are different goals, and no run is best at both: --task.bottleneck local gives bases "
    "back; --task.bottleneck dense with --task.damage 0.6 tells kinds of aligned sequence apart, such as promoters; --task.bottleneck sites with "
    "--task.damage 0.3 those that hold other motifs, wherever these are."
)
SITES = (
    "Each latent says how well a pattern fits at its best place, on either strand. The decoder is told the places and the composition as well, so "
    "that the share of bases given back is not that of as few numbers as the principal components are."
)
GUESSES = {"network": "the network", "positions": "the most frequent base of each position", "flanks4": "the four bases on either side"}
SOURCES = {"sample": "drawn from the network", "training": "training sequences"}


def learned(run: RunFolder) -> Section | None:
    """Return the section of a run without targets; None for any other."""
    family = str(run.metrics.get("family") or "")
    if family == "language":
        return _language(run)
    return _latents(run) if family == "autoencoder" else None


def _language(run: RunFolder) -> Section | None:
    spectra = run.metrics.get("spectra") or {}
    table = [(SOURCES.get(name, name.replace("markov", "Markov order ")), f"{float(value):.4f}") for name, value in (spectra.get("js") or {}).items()]
    if not table:
        return None
    lede = f"How far the {spectra['k']}-mers of drawn sequences are from those of held-out ones: the Jensen-Shannon divergence, 0 where they are one."
    return Section("learned", "What it writes", lede, {"tables": [("", ["sequences", "divergence (bits)"], table)], "texts": [], "figures": []})


def _latents(run: RunFolder) -> Section:
    latent = run.metrics.get("latent") or {}
    probes = run.metrics.get("probe") or {}
    tables: list[tuple[str, list[str], list[tuple[str, ...]]]] = []
    if probes:
        cells = [(SPACES.get(name, name), *(decimal(row[key]) for key in ("auroc", "accuracy", "knn_accuracy"))) for name, row in probes.items()]
        tables.append(("What can be read off it about the labels", ["embedding", "AUROC, linear", "accuracy, linear", "accuracy, neighbours"], cells))
    restored = run.metrics.get("restored") or {}
    if restored:
        parts = [part for part in ("hidden", "replaced") if part in restored]
        names = [name for name, value in restored.items() if name not in ("damage", "n_bases", *parts)]
        cells = [(GUESSES.get(name, name), *(decimal(row[name]) for row in (restored, *(restored[part] for part in parts)))) for name in names]
        tables.append((f"Bases that were damaged ({restored['damage']:.0%} of all) and are restored", ["by", "all", *parts], cells))
    texts = [SITES] if run.section("task").get("bottleneck") == "sites" else []
    texts += [f"{str(latent['text'])[0].upper()}{str(latent['text'])[1:]}"] if latent.get("text") else []
    for key, words in (
        ("strand_agreement", "of sequences lie nearer to their own other strand than to half of the others' (chance: 0.5)"),
        ("trustworthiness", "is the trustworthiness of the map in latents.tsv (1: neighbours on the map are neighbours in the latents)"),
    ):
        if latent.get(key) is not None:
            texts.append(f"{decimal(float(latent[key]))} {words}.")
    lede = f"{latent.get('n', '')} latents a sequence, on held-out sequences. {GOALS}"
    figures = [figure] if run.latents is not None and (figure := latent_map(run.latents)) else []
    return Section("learned", "What its latents are worth", lede, {"tables": tables, "texts": texts, "figures": figures})
