"""What earlier runs saw: for the rules, the command history, and the writer."""
