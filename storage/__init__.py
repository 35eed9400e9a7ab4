"""What is remembered: the registry, its journal, the audit chain and the vault."""
