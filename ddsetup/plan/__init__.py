"""What would change, of which functions, and what rights that takes: pure."""
