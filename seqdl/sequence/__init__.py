"""Pure operations on sequences: codes, one-hot, editing, shuffling, composition. Opens no file and knows no torch."""
