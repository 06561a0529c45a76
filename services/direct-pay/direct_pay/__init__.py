"""What is owed to a supplier on a hospital's behalf: a deciding service. Nothing of it is built yet."""
