"""What proves that a card took part: statement, seal, signature, presence, evidence."""
