"""A station's half of the authority: its calls over HTTPS."""
