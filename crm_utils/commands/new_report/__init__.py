"""Parameters for a new report, guessed from its file."""
