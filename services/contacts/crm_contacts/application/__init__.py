"""The commands of contacts: load, decide, save.

Every method answers an `Outcome` once for each command id, and raises what its aggregate refuses
with.
"""

from crm_contacts.application.customers import Customers
from crm_contacts.application.leads import Leads
from crm_contacts.application.staffing import Staffing


class ContactsApplication(Staffing, Customers, Leads):
    """Staff, organisations, people and leads over one store."""
