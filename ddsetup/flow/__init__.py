"""The verbs put together: ask, observe, plan, show, apply, verify."""
