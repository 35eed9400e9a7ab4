"""PIV (SP 800-73-5): the application's commands, and the card that the visit holds."""
