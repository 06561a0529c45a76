"""What a provider is told of a claim: its page, its deadlines and its statement, of all that was done with it."""
