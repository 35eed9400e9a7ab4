"""What holds for a PIN and for the password: rules, sync conditions, expiry."""
