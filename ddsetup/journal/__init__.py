"""What is remembered on disk, and how it is given back."""
