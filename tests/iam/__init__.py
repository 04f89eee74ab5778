"""Tests of AWS's policy language and an account's state."""
