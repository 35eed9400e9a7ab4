"""What an operator decides: release, hold, end, templates, evidence, risk."""
