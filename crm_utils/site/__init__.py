"""Pages from executed notebooks and published tables."""
