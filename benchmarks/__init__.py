"""How fast ddsetup is, how many calls it makes, and how much memory it takes: see `benchmarks.run`."""
