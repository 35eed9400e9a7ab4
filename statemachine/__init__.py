"""What may happen to a credential and to an operation: pure tables, no I/O."""
