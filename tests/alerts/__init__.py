"""Tests of what is told where and when."""
