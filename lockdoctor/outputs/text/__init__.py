"""Every sentence that a report, a plan or an outcome shows."""
