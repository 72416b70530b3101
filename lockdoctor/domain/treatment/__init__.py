"""What may be done to a lock: selection, approval, plan, preconditions, results."""
