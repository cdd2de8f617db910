"""The commands of ticketing: load, decide, save.

Every method answers an `Outcome` once for each command id, and raises what its aggregate refuses
with.
"""

from crm_ticketing.application.feedback import Intake
from crm_ticketing.application.surveys import Surveys
from crm_ticketing.application.tickets import Tickets


class TicketingApplication(Intake, Tickets, Surveys):
    """Feedback, assignment rules, tickets and their surveys over one store."""
