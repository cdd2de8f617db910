"""The commands of pipeline: load, decide, save.

Every method answers an `Outcome` once for each command id, and raises what its aggregate refuses
with.
"""

from crm_pipeline.application.catalogue import Catalogue
from crm_pipeline.application.deals import Deals
from crm_pipeline.application.orders import Orders


class PipelineApplication(Catalogue, Deals, Orders):
    """Pipelines, products, deals and orders over one store."""
