"""Where the certificates of new cards come from: own CA, a folder, or an EST server."""
