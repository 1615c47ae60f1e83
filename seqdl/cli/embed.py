"""seqdl embed: latents of sequences, with a map, clusters and their motifs, labels, and nearest neighbours."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from seqdl.cli.console import Console

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.experiment.embed_groups import Embedded
    from seqdl.tasks.base import Task

EPILOG = """examples:
  seqdl embed RUN --fasta X.fa -o latents.tsv --map tsne --plot map.svg
  seqdl embed RUN --fasta X.fa -o latents.npz                      streamed: memory does not grow with the number of sequences
  seqdl embed RUN --fasta X.fa -o latents.tsv --clusters 5 --database jaspar      clusters.tsv: the motifs of each cluster
  seqdl embed RUN --fasta X.fa --labels L.tsv -o latents.tsv       how well labels are read off, beside PCA of k-mers
  seqdl embed RUN --fasta tss=A.fa other=B.fa -o latents.tsv       the same, a class a file
  seqdl embed RUN --fasta X.fa -o near.tsv --query Q.fa            the nearest of X to each of Q
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder: an autoencoder's latents, or the mean features of any other network")
    parser.add_argument("--fasta", required=True, nargs="+", metavar="X.fa", help="sequences to embed, - is stdin; or NAME=FILE for each class")
    parser.add_argument("--labels", metavar="L.tsv", help="a table with the columns id and label: how well labels are read off the latents")
    parser.add_argument("--map", choices=("pca", "tsne", "umap"), help="add a map in two dimensions")
    parser.add_argument("--plot", metavar="MAP.svg", help="draw the map (default: pca), coloured by label, else by cluster")
    parser.add_argument("--clusters", metavar="K", help="add clusters: a number for k-means, or hdbscan")
    parser.add_argument("--database", metavar="DB", help="with --clusters: known motifs that are enriched in each; jaspar, jaspar:fungi or a file")
    parser.add_argument("--motifs-out", metavar="OUT.tsv", help="with --database: where to write them (default: clusters.tsv beside the output)")
    parser.add_argument("--query", metavar="Q.fa", help="write the sequences of X that are nearest to each of these instead")
    parser.add_argument("--neighbours", type=int, default=10, metavar="N", help="with --query: how many (default 10)")
    parser.add_argument("-o", "--output", metavar="OUT", help=".tsv, .npz or .h5ad (default: TSV on stdout)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Embed, and write a table."""
    from pathlib import Path

    from seqdl.experiment.embed import embed_fasta
    from seqdl.experiment.embed_files import stream_h5ad, stream_npz, stream_tsv, write_embeddings
    from seqdl.experiment.embed_groups import embed_files, in_words, named_files
    from seqdl.experiment.run import load_run

    output = options.output or "-"
    motifs_out = _check(options, output)
    files = named_files(options.fasta)
    task, device = load_run(options.run).task, options.device or "auto"
    grouped = options.map or options.plot or options.clusters or options.query or options.labels or files[0][0]
    if not grouped:
        stream = {".npz": stream_npz, ".h5ad": stream_h5ad}.get(Path(output).suffix, stream_tsv)
        n = stream(output, embed_fasta(task, files[0][1], device=device), force=options.force)
        console.note(f"{n:,} sequences embedded{'' if output == '-' else f' into {output}'}")
        return 0
    some = embed_files(task, options.fasta, labels=options.labels, device=device)
    if options.query:
        _write_nearest(task, some, options, output=output)
        return 0
    table, found = _grouped(some, options=options, console=console, motifs_out=motifs_out)
    write_embeddings(output, table, some.values, force=options.force)
    if "probe" in found:
        found["probe"]["learned_from_labels"] = task.family == "supervised"
    if found:
        (console.note if output == "-" else console.result)(in_words(found))
    if output != "-":
        console.emit(found)
    console.note(f"{len(table):,} sequences embedded{'' if output == '-' else f' into {output}'}")
    return 0


def _check(options: argparse.Namespace, output: str) -> str | None:
    """Raise what stands against the flags and the files to be written; return where motifs of clusters go."""
    from pathlib import Path

    from seqdl.errors import InputError
    from seqdl.experiment.embed_files import check_ending
    from seqdl.io.files import check_writable

    check_ending(output)
    if options.query and (options.map or options.plot or options.clusters or options.labels):
        raise InputError("--query was given with a map, clusters or labels, which its table has no place for: one of them was expected. Run twice.")
    if options.database and not options.clusters:
        raise InputError("--database was given without --clusters: motifs are looked for in clusters. Add --clusters K.")
    if options.motifs_out and not options.database:
        raise InputError("--motifs-out was given without --database: the known motifs to look for were expected. Add --database jaspar.")
    if options.plot and not options.plot.endswith(".svg"):
        raise InputError(f"--plot {options.plot}: a name ending in .svg was expected. Rename it.")
    motifs_out = None
    if options.database:
        if output == "-" and not options.motifs_out:
            raise InputError("--database was given without a place for its table: -o or --motifs-out was expected. Add --motifs-out clusters.tsv.")
        motifs_out = options.motifs_out or str(Path(output).with_name("clusters.tsv"))
    for path in (output, options.plot, motifs_out):
        if path:
            check_writable(path, force=options.force)
    return motifs_out


def _grouped(some: Embedded, *, options: argparse.Namespace, console: Console, motifs_out: str | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the columns beside the latents, and what was found of labels, clusters and motifs."""
    import pandas as pd

    from seqdl.experiment.embed import clusters_of, map_of
    from seqdl.experiment.embed_groups import agreement, kmer_clusters, read_off

    seed, found = options.seed or 0, {}
    table = pd.DataFrame({"id": some.names})
    if some.labels is not None:
        table["label"] = some.labels
        console.note("reading labels off the latents, beside PCA of one-hot and of k-mers")
        found["probe"] = read_off(some, seed=seed)
    kind = options.map or ("pca" if options.plot else None)
    if kind:
        points = map_of(some.values, kind, seed=seed)
        table = table.assign(map1=points[:, 0], map2=points[:, 1])
    if options.clusters:
        clusters, kmers = clusters_of(some.values, options.clusters, seed=seed), kmer_clusters(some, options.clusters, seed=seed)
        table = table.assign(cluster=clusters, cluster_kmers=kmers)
        found["clusters"] = {str(k): int(n) for k, n in table["cluster"].value_counts().sort_index().items()}
        found["rand_index"] = agreement(clusters, kmers, some.labels)
        if motifs_out:
            found |= _write_motifs(some, table, options=options, console=console, path=motifs_out)
    if options.plot and kind:
        _plot(table, kind, options)
    return table, found


def _write_motifs(some: Embedded, table: pd.DataFrame, *, options: argparse.Namespace, console: Console, path: str) -> dict[str, Any]:
    """Write the motifs that are enriched in each cluster; return how many, and the first of each."""
    from seqdl.cli.patience import patience
    from seqdl.experiment.cluster_motifs import ClusterMotifs, summary, write_cluster_motifs
    from seqdl.io.databases import load_database

    motifs, clusters = load_database(options.database), table["cluster"].to_numpy()
    console.note(f"looking for {len(motifs):,} known motifs in the clusters")
    with patience(console, "motif scanning"):
        sites = ClusterMotifs(some.sequences, motifs, seed=options.seed or 0)
    rows = sites.table(clusters)
    logos = write_cluster_motifs(path, rows, motifs, force=options.force)
    console.note(f"{len(rows):,} motifs of clusters in {path}, {len(logos)} logos")
    return {"motifs": summary(rows, clusters), "n_motifs": len(rows), "n_motifs_kmers": len(sites.table(table["cluster_kmers"].to_numpy()))}


def _plot(table: pd.DataFrame, kind: str, options: argparse.Namespace) -> None:
    from pathlib import Path

    from seqdl.experiment.motif_files import write_figure
    from seqdl.plot.maps import embedding

    groups = next((table[name].to_numpy() for name in ("label", "cluster") if name in table), None)
    names = (f"{kind} 1", f"{kind} 2")
    write_figure(Path(options.plot), lambda ax: embedding(table[["map1", "map2"]].to_numpy(), groups, names=names, ax=ax), inches=(4.8, 4.8))


def _write_nearest(task: Task, some: Embedded, options: argparse.Namespace, *, output: str) -> None:
    """Write the sequences that are nearest to each query."""
    import numpy as np
    import pandas as pd

    from seqdl.experiment.embed import embed_fasta, nearest
    from seqdl.io.table import write_tsv

    asked, queries = zip(*embed_fasta(task, options.query, device=options.device or "auto"), strict=True)
    rows, distance = nearest(some.values, np.concatenate(queries), n=options.neighbours)
    query = [name for found in asked for name in found]
    columns = {
        "query": np.repeat(query, rows.shape[1]),
        "rank": np.tile(np.arange(1, rows.shape[1] + 1), len(rows)),
        "id": np.array(some.names, dtype=object)[rows.ravel()],
        "distance": distance.ravel(),
    }
    write_tsv(output, pd.DataFrame(columns), force=options.force, float_format="%.6g")
