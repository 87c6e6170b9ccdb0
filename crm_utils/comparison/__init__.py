"""Compare two dates of a report."""
