"""The page from the command line: `python -m skpairclust.label FILE`."""

import os
import sys

from skpairclust.label._command import main

if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # the answers are on the disk, and nobody needs the end of a fit
    os._exit(status)
