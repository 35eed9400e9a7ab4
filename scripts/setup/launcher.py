"""Starts Pin Kiosk, or says in one sentence why it cannot run and what to do."""

import sys
from pathlib import Path

REMEDY = ""


def run() -> None:
    """Run the command line and end."""
    try:
        from kiosk.cli import main
    except ImportError as error:
        print(f"Pin Kiosk cannot run: {reason(error)}; {REMEDY}", file=sys.stderr)
        sys.exit(70)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(main())


def reason(error: ImportError) -> str:
    """Say what is wrong: made for another Python, or not whole."""
    now = ".".join(map(str, sys.version_info[:2]))
    for line in Path(sys.prefix, "pyvenv.cfg").read_text("utf-8").splitlines():
        key, _, value = line.partition("=")
        made = ".".join(value.split(".")[:2]).strip()
        if key.strip() == "version" and made != now:
            return f"{sys.prefix} was made for Python {made}, this machine has {now}"
    return f"{sys.prefix} is not whole ({error})"
