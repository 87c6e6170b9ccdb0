"""Figures: a ready table and an ax in, the ax out. One module a notebook."""
