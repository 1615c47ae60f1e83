"""Reads a run folder and writes one self-contained HTML page; no torch."""
