"""What operators do with credentials: issue, import, release, hold, end, look.

Each act belongs to a person who is known by the system's login and named in the
configuration with a role and an own directory account; nobody acts on their own
card, and every act and every refusal is one audit entry with that account.
"""
