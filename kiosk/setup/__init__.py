"""What is done to a machine: a new station, backup, restore, units."""
