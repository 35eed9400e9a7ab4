"""What every face has in common: words, who is there, time, and what was typed."""
