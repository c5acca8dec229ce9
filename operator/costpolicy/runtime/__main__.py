"""``python -m costpolicy.runtime``: run the operator."""

import os
import sys

from costpolicy.runtime.main import run

sys.exit(run(os.environ))
