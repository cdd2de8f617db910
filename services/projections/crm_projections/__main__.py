"""`python -m crm_projections serve | project | migrate`."""

import sys

from crm_service.roles import main

from crm_projections import __doc__ as about
from crm_projections.bootstrap import ROLES

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES, program="crm-projections", about=about or ""))
