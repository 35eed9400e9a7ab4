"""Cards, readers and the service between them: simulated, foreign, lying."""
