"""The mfawatch command."""
