"""How findings, figures and tables look."""
