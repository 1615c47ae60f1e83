"""The verbs that tie the parts together."""
