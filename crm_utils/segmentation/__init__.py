"""Stage 03: named segments of customers."""
