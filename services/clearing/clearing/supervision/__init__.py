"""Who may be paid, what is held, and what has to be given back (R6)."""
