"""All benchmarks, each in a process of its own: what one leaves in memory must not count for the next."""

from __future__ import annotations

import subprocess
import sys


def main() -> int:
    """Run them in turn; the highest of their exit codes."""
    codes = [0]
    for name in ("decide", "audit", "page", "sweep", "realtime", "api", "replay", "start"):
        codes.append(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
        print(flush=True)
    return max(map(abs, codes))


if __name__ == "__main__":
    sys.exit(main())
