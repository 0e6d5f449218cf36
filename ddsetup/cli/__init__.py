"""The command line. Each command is a module that is loaded when it is run, not before."""
