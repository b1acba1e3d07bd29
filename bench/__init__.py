"""Benchmarks that print ratios side by side: `python -m bench`."""
