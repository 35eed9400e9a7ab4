"""A fleet on one machine: simulated stations that ask an authority over real HTTPS."""
