"""Mutants: the code with one thing changed by a machine, to see which test sees it."""
