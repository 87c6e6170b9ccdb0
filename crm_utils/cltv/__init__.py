"""Stage 04: what customers will buy and what they are worth."""
