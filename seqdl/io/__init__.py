"""File formats: the only place where 1-based coordinates or (L, 4) arrays appear."""
