"""What everything stands on: errors, secrets, private files, clock, entropy, workers."""
