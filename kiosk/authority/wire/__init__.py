"""The authority's port as bytes: calls, answers and errors, every secret sealed."""
