"""Cards: bytes, APDUs, families, readers, and simulated cards."""
