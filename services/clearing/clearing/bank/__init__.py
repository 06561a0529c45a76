"""The bank's side of the door: which payments its files carry, what its answers mean, and whether its day adds up."""
