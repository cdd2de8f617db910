"""`python -m crm_contacts serve | relay | react | migrate`."""

import sys

from crm_service.roles import main

from crm_contacts import __doc__ as about
from crm_contacts.bootstrap import ROLES

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES.table(), program="crm-contacts", about=about or ""))
