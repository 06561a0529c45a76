"""What a provider is owed and when: the first deciding service. Nothing of it is built yet."""
