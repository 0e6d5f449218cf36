"""Every option once, and how flags, variables and file become answers."""
