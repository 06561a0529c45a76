"""What suppliers are paid on hospitals' behalf: a deciding service that knows goods and paper. Money is clearing's."""
