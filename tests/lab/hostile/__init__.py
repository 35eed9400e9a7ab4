"""A hostile town: people, cards and a domain, where anything happens at any moment."""
