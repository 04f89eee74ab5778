"""How fast mfawatch decides and audits. `python -m benchmarks` runs all of it; the README tells what is measured."""
