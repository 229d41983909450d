"""Frozen values and rules as pure functions: no I/O, no Twisted."""
