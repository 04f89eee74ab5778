"""Questions asked of an account."""
