"""Reusable neural-network pieces, each small."""
