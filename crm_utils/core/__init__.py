"""What every stage uses and what knows no stage."""
