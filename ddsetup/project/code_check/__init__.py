"""What Datadog's calls in Python code do: told from the syntax tree, nothing is imported or run."""
