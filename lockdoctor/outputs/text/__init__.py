"""The sentences of reports, plans and outcomes."""
