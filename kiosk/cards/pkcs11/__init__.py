"""Cards behind a vendor's middleware, through PKCS#11 (OASIS PKCS #11 2.40).

The vendor's library is loaded by a process of its own (`child`, `module`), which can
crash, hang and look around without touching the kiosk. `process` is this side of the
line to it, `messages` what goes over it, `card` what a visit holds.
"""
