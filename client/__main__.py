"""`python -m client`: the same as `tertulia`."""

import sys

from client.cli import main

sys.exit(main())
