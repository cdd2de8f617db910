"""`python -m crm_ticketing serve | relay | react | migrate`."""

import sys

from crm_service.roles import main

from crm_ticketing import __doc__ as about
from crm_ticketing.bootstrap import ROLES

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES.table(), program="crm-ticketing", about=about or ""))
