"""What must hold whatever happens: faults, kill -9, competitors, bad input. See docs/reliability.md."""
