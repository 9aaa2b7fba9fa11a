"""The nouns of `customers`, one a file."""

from customers.models.access import ApiKey, CardView, Lookup, Unmasking
from customers.models.assignment import Assignment
from customers.models.attachment import Attachment
from customers.models.blocked import BlockedHandle
from customers.models.change import Change
from customers.models.customer import Customer
from customers.models.experience import (
    BusinessHours,
    Experience,
    ExperienceSettings,
    Feedback,
    Following,
    Request,
    Score,
    Segment,
    StageChange,
    Touch,
)
from customers.models.figure import Figure
from customers.models.identity import AttributeClaim, Candidate, Identity, SeenRegion
from customers.models.interaction import ContactCount, Interaction, InteractionPart, LineHome, Thread
from customers.models.link import KeepApart, Link
from customers.models.privacy import Consent, Erasure, Hold, RetentionRule, Suppressed
from customers.models.profile import AgentProfile, LastLook
from customers.models.promises import Expectation, Promise
from customers.models.reference import Reference
from customers.models.session import Session
from customers.models.verification import Verification

__all__ = [
    "AgentProfile",
    "ApiKey",
    "Assignment",
    "Attachment",
    "AttributeClaim",
    "BlockedHandle",
    "BusinessHours",
    "Candidate",
    "CardView",
    "Change",
    "Consent",
    "ContactCount",
    "Customer",
    "Erasure",
    "Expectation",
    "Experience",
    "ExperienceSettings",
    "Feedback",
    "Figure",
    "Following",
    "Hold",
    "Identity",
    "Interaction",
    "InteractionPart",
    "KeepApart",
    "LastLook",
    "LineHome",
    "Link",
    "Lookup",
    "Promise",
    "Reference",
    "Request",
    "RetentionRule",
    "Score",
    "SeenRegion",
    "Segment",
    "Session",
    "StageChange",
    "Suppressed",
    "Thread",
    "Touch",
    "Unmasking",
    "Verification",
]
