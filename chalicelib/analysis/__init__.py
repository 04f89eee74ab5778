"""Questions asked of an account. Pure: no I/O."""
