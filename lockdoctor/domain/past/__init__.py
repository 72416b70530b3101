"""What earlier runs saw: for the rules, for the command history, and for the writer."""
