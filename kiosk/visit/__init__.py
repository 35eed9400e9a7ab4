"""One visit, step by step: change, activate, unblock, finish."""
