"""From intervals and sequences to batches."""
