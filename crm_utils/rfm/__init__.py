"""Stage 02: recency, frequency and monetary value of each customer."""
