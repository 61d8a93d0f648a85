"""The page from the command line: `python -m skpairclust.label FILE`."""

import sys

from skpairclust.label._command import main

if __name__ == "__main__":
    sys.exit(main())
