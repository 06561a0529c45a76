"""The agency's administration: who may approve, who may speak, the rules of an area, what the books begin with."""
