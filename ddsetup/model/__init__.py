"""Frozen records of what is, what is wanted and what came of it. Imports nothing of ddsetup's."""
