"""The table of commands: names, options, help."""
