"""Carrying plans out: step by step, journalled before and after each, conditional on what was planned, and undone."""
