"""Django's admin: the tables of inventory, read-only."""

from governance.inventory.models import ModelAsset, ModelVersion
from governance.site.admin import register_read_only

register_read_only(ModelAsset, ModelVersion)
