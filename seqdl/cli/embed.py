"""seqdl embed: latents of sequences, with a map, clusters and nearest neighbours."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl embed RUN --fasta X.fa -o latents.tsv --map tsne
  seqdl embed RUN --fasta X.fa -o latents.npz --clusters 5
  seqdl embed RUN --fasta X.fa -o near.tsv --query Q.fa       the nearest of X to each of Q
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder: an autoencoder's latents, or the mean features of any other network")
    parser.add_argument("--fasta", required=True, metavar="X.fa", help="sequences to embed; - is stdin")
    parser.add_argument("--map", choices=("pca", "tsne", "umap"), help="add a map in two dimensions")
    parser.add_argument("--clusters", metavar="K", help="add clusters: a number for k-means, or hdbscan")
    parser.add_argument("--query", metavar="Q.fa", help="write the sequences of X that are nearest to each of these instead")
    parser.add_argument("--neighbours", type=int, default=10, metavar="N", help="with --query: how many (default 10)")
    parser.add_argument("-o", "--output", metavar="OUT", help=".tsv, .npz or .h5ad (default: TSV on stdout)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Embed, and write a table."""
    import numpy as np
    import pandas as pd

    from seqdl.experiment.embed import check_ending, clusters_of, embed_fasta, map_of, nearest, stream_tsv, write_embeddings
    from seqdl.experiment.run import load_run
    from seqdl.io.files import check_writable
    from seqdl.io.table import write_tsv

    output = options.output or "-"
    check_ending(output)
    check_writable(output, force=options.force)
    task, device, seed = load_run(options.run).task, options.device or "auto", options.seed or 0
    plain = not (options.map or options.clusters or options.query)
    if plain and not output.endswith((".npz", ".h5ad")):
        n = stream_tsv(output, embed_fasta(task, options.fasta, device=device), force=options.force)
        console.note(f"{n:,} sequences embedded{'' if output == '-' else f' into {output}'}")
        return 0
    names, parts = [], []
    for found, values in embed_fasta(task, options.fasta, device=device):
        names += found
        parts.append(values)
    embedding = np.concatenate(parts)
    if options.query:
        asked, queries = zip(*embed_fasta(task, options.query, device=device), strict=True)
        rows, distance = nearest(embedding, np.concatenate(queries), n=options.neighbours)
        query = [name for found in asked for name in found]
        table = pd.DataFrame(
            {
                "query": np.repeat(query, rows.shape[1]),
                "rank": np.tile(np.arange(1, rows.shape[1] + 1), len(rows)),
                "id": np.array(names, dtype=object)[rows.ravel()],
                "distance": distance.ravel(),
            }
        )
        write_tsv(output, table, force=options.force, float_format="%.6g")
        return 0
    table = pd.DataFrame({"id": names})
    if options.map:
        points = map_of(embedding, options.map, seed=seed)
        table = table.assign(map1=points[:, 0], map2=points[:, 1])
    if options.clusters:
        table["cluster"] = clusters_of(embedding, options.clusters, seed=seed)
        console.note("clusters: " + ", ".join(f"{k}: {n:,}" for k, n in table["cluster"].value_counts().sort_index().items()))
    write_embeddings(output, table, embedding, force=options.force)
    console.note(f"{len(table):,} sequences embedded{'' if output == '-' else f' into {output}'}")
    return 0
