"""The steps of a setup, each a pure function from what is and what is wanted to a plan."""
