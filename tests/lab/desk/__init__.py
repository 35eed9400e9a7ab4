"""Operators, their desk and what they type."""
