"""One operation, from its judgement to what is true after the write."""
