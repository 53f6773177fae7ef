"""`python -m lrs`, and the command `lrs`."""

import sys

from lrs.commands.group import commands
from lrs.errors import LRSError


def main() -> None:
    """Run one command. What we can explain ends in one line and exit code 1; a traceback is a defect of ours."""
    try:
        commands()
    except LRSError as error:
        print(f"lrs: {error.message}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
