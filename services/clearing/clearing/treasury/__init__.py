"""What money will be needed, and what the treasury is asked for (R5)."""
