"""The commands under `ddsetup state`."""
