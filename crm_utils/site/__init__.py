"""Render pages from executed notebooks and published tables."""
