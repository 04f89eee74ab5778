"""Data files of the policy engine, read with `importlib.resources`."""
