"""Code that every stage uses and that depends on no stage."""
