"""Prepayments: about a month in advance, granted by rule, and taken back to the fen (R2)."""
