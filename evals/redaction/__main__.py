"""`python -m evals.redaction`."""

import sys

from evals.redaction.report import main

sys.exit(main())
