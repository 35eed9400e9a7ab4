"""Domains and their controllers: simulated, Samba's, failing, lying."""
