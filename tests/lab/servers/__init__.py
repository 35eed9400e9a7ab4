"""What is reached over a line: databases, services, names, certificates."""
