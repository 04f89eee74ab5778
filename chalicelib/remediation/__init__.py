"""Putting it right: from findings to steps that mend them, proved before they are offered."""
