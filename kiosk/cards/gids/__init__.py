"""GIDS, the "Windows generic minidriver card": a file system, containers, one PIN.

Generic Identity Device Specification 2.0; what cards really do is measured.
"""
