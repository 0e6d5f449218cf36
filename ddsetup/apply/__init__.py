"""Carries changes out."""
