"""What was typed, out of the bytes that a terminal sends.

An allow-list: a byte, or a sequence of bytes, is a key that is known in its legal
shape. Answers that nobody asked for (sizes, positions, modes, focus, mouse) and keys
that mean nothing are nothing. Everything else is a character that could not be read:
somebody may have typed it, so no field takes an entry with one. Whatever comes,
nothing is raised, and no more is kept than a short sequence that has not ended.
"""
