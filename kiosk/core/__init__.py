"""What everything stands on: errors, secrets, files, clock, entropy, workers."""
