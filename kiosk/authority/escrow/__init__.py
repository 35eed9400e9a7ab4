"""What the authority holds for a card, and what opens it: PUKs, keys, codes."""
