"""Many accounts in one run, each by the flow of one."""
