"""The terminal that the screens are on: a driver of Textual's that trusts nothing."""
