"""`python -m crm_campaigns serve | relay | react | migrate`."""

import sys

from crm_service.roles import main

from crm_campaigns import __doc__ as about
from crm_campaigns.bootstrap import ROLES

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES.table(), program="crm-campaigns", about=about or ""))
