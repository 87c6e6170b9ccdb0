"""Guess the parameters of a new report from its file."""
