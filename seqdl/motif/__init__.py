"""Pure operations on motifs: the Motif type, scanning, matching. Opens no file."""
