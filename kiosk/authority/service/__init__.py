"""The authority of a fleet over HTTPS: alone to import its framework and server."""
