"""`python -m crm_projections serve | project | migrate`."""

import gc
import sys

gc.disable()  # nothing imported is garbage: a sixth of the start; main has it look around again

from crm_service.roles import main

from crm_projections import __doc__ as about
from crm_projections.bootstrap import ROLES

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES, program="crm-projections", about=about or ""))
