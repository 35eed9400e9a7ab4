"""Where the laboratory's fixtures come from."""

from __future__ import annotations

pytest_plugins = [
    "lab.own_network",
    "lab.not_run",
    "lab.pcscd_fixtures",
    "lab.directory_acts",
    "lab.samba_fixtures",
    "lab.samba_kerberos",
    "lab.softhsm",
    "lab.typed_commands",
]
