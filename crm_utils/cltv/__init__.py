"""Stage 04: forecast what customers will buy, and what they are worth."""
