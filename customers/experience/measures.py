"""The measures, in the order in which a line goes through them: each may read what those before it say."""

from typing import Final

from customers.experience import effort, expectations, feedback, journey, promises, remembered, requests, scores
from customers.experience.engine import Measure

MEASURES: Final[dict[str, Measure]] = {
    "journey": journey,
    "requests": requests,
    "effort": effort,
    "expectations": expectations,
    "feedback": feedback,
    "scores": scores,
    "promises": promises,
    "remembered": remembered,
}
VERSION = 4
"""Raise it with every change of what a measure says: each customer is then folded anew."""
