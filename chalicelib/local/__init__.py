"""Adapters for a laptop, and the tools that make this package's data."""
