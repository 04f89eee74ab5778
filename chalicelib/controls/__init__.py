"""The checks, one file each. Pure: no I/O."""
