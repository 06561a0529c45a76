"""What is open when the books begin, taken over item by item (R10, c.2 67)."""
