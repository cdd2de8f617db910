"""`python -m crm_campaigns serve | relay | react | migrate`."""

import gc
import sys

gc.disable()  # nothing imported is garbage: a sixth of the start; main has it look around again

from crm_service.roles import main

from crm_campaigns import __doc__ as about
from crm_campaigns.bootstrap import ROLES

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES.table(), program="crm-campaigns", about=about or ""))
