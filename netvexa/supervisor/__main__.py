"""Start the product here and keep it running until Ctrl-C."""

from __future__ import annotations

import os
import sys

from netvexa.embedded.errors import StartError
from netvexa.supervisor.plan import plan_from
from netvexa.supervisor.run import Supervisor


def main() -> int:
    try:
        plan = plan_from(os.environ)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return Supervisor(plan).run()


if __name__ == "__main__":
    sys.exit(main())
