"""`python -m protocol.generate`, in the root of the repository; with `--check`, only tells what is out of date."""

import sys

from protocol import generate


def main() -> str | None:
    """Write, or return what is wrong."""
    if sys.argv[1:] != ["--check"]:
        generate.write()
        return None
    stale = generate.stale()
    return f"out of date: {', '.join(stale)}; run {generate.COMMAND}" if stale else None


if __name__ == "__main__":
    sys.exit(main())
