"""`python -m crm_pipeline serve | relay | react | migrate`."""

import sys

from crm_service.roles import main

from crm_pipeline import __doc__ as about
from crm_pipeline.bootstrap import ROLES

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES.table(), program="crm-pipeline", about=about or ""))
