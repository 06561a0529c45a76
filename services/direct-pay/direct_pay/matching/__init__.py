"""The three-way match."""
