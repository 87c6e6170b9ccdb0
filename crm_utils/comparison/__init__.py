"""Two dates of a report side by side."""
