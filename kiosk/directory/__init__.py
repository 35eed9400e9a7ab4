"""Active Directory: the LDAP adapter and a simulated domain."""
