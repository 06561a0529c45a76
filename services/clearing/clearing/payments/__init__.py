"""What a provider is owed and what is paid of it: payables, orders, and the bank's answers."""
