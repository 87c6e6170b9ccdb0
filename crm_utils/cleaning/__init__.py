"""Stage 01: which line items count, and what became of every other row."""
