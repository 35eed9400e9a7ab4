"""The registry of several hosts: the same contract on PostgreSQL, and its relatives."""
