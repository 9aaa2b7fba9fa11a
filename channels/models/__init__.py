"""The nouns of `channels`, one a file."""

from channels.models.delivery import Delivery, DeliveryBody
from channels.models.outgoing import Attempt, Message, Subscription
from channels.models.source import Source

__all__ = ["Attempt", "Delivery", "DeliveryBody", "Message", "Source", "Subscription"]
