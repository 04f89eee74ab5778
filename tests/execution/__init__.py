"""Tests of carrying remediation out."""
