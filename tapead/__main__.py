"""``python -m tapead``: see command_line.py."""

import sys

from tapead.command_line import main

if __name__ == "__main__":
    sys.exit(main())
