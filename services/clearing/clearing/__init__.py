"""What a provider is owed and when: the first deciding service."""
