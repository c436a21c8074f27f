"""What pages call the things that the code counts by code words; choices offer them in this order."""

from server.access.models import GrantReason
from server.accounts.models import Role
from server.catalog.models import Level
from server.checkout.models import OrderStatus
from server.i18n import N_

LANGUAGES = {"ko": "한국어", "en": "English"}  # each in itself
LEVELS = {
    Level.BEGINNER: N_("Beginner"),
    Level.INTERMEDIATE: N_("Intermediate"),
    Level.ADVANCED: N_("Advanced"),
}
ROLES = {
    Role.VIEWER: N_("Viewer"),
    Role.EDITOR: N_("Editor"),
    Role.SUPPORT: N_("Support"),
    Role.ADMIN: N_("Admin"),
}
ORDERS = {
    OrderStatus.PAID: N_("Paid"),
    OrderStatus.PENDING: N_("Waiting for payment"),
    OrderStatus.PARTIALLY_REFUNDED: N_("Partly refunded"),
    OrderStatus.REFUNDED: N_("Refunded"),
    OrderStatus.CANCELED: N_("Canceled"),
}
GRANTS = {
    GrantReason.PURCHASE: N_("Bought"),
    GrantReason.GIFT: N_("Gift"),
    GrantReason.STAFF: N_("Given by staff"),
}
