"""Cards in real readers, through PC/SC. The only importer of pyscard (`winscard`).

A connection, and the monitor, each have a context of their own: handles die with
the service and are never kept beyond it. Importing this package loads nothing of
PC/SC; that happens when the first context is made.
"""

from kiosk.cards.pcsc.connection import PcscConnection
from kiosk.cards.pcsc.monitor import PcscMonitor

__all__ = ["PcscConnection", "PcscMonitor"]
