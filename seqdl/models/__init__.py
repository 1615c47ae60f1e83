"""One file per architecture: encoders, one-hot (B, 4, L) -> features (B, C, L // stride)."""
