"""Django's admin: the tables of packets, read-only."""

from governance.site.admin import register_read_only
from reviews.packets.models import Packet

register_read_only(Packet)
