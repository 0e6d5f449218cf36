"""`ddsetup keep`: what was set up stays so."""
