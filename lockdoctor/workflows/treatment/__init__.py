"""The steps of a treatment: plan, reread, guarded write, verification, undo."""
