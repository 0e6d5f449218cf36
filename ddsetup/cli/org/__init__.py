"""`ddsetup org`: many accounts in one run."""
