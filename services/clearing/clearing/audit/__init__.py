"""Findings, their appeals, and what is finally deducted (R1.3)."""
