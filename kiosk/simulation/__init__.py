"""The laboratory: simulated cards, readers and domain, rehearsals, the demo."""
