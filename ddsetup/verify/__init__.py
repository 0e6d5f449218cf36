"""Proves that data arrived."""
