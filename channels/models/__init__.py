"""The nouns of `channels`, one a file."""

from channels.models.delivery import Delivery, DeliveryBody
from channels.models.source import Source

__all__ = ["Delivery", "DeliveryBody", "Source"]
