"""Active Directory over verified TLS. The only package that imports ldap3.

How it is used here, and why (each was measured, see docs/directory.md):

- A fresh connection and a fresh `Server` object for each operation: a `Server` that
  failed once answers "invalid server address" afterwards.
- Our own `ssl` context: ldap3's default verifies nothing.
- Both timeouts, and one deadline for each answer, however it dribbles in.
- No referrals are followed: ldap3 would sign in wherever the answer points.
- Requests that hold a password are encoded by `secret_requests`, not by ldap3, which
  keeps them in `connection.request` and writes them into its log.
"""

from __future__ import annotations

from kiosk.directory.ldap.directory import LdapDirectory
from kiosk.directory.ldap.settings import LdapSettings, Protection

__all__ = ["LdapDirectory", "LdapSettings", "Protection"]
