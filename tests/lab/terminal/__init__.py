"""Terminals, keys and whoever reads the screen."""
