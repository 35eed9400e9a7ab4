"""Machines, their roots, networks and files."""
