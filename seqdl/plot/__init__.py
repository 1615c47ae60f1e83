"""Pictures by matplotlib; every function takes ax=None and returns Axes."""
