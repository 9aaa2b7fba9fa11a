"""A user's role as groups of the same names, given and read in one place."""

from django.contrib.auth.models import Group, User

from customers.access import ROLES

NAMES = ("agent", "supervisor", "admin", "masked", "agent masked")
"""What can be chosen: one role, or an agent's with masked identifiers."""


def role_of(user: User) -> str:
    """The choice that stands for the groups that he is in; nothing for none."""
    groups = {group.name for group in user.groups.all()}
    if user.is_superuser and "masked" not in groups:
        return "admin"
    role = next((name for name in ("admin", "supervisor", "agent") if name in groups), "")
    if "masked" in groups:
        return "agent masked" if role else "masked"
    return role


def give(user: User, role: str) -> None:
    """This role and no other of ours; only administrators get into Django's admin."""
    roles = role.split()
    user.groups.remove(*user.groups.filter(name__in=set(ROLES) - set(roles)))
    user.groups.add(*(Group.objects.get_or_create(name=name)[0] for name in roles))
    user.is_staff = user.is_superuser = role == "admin"
    user.save(update_fields=["is_staff", "is_superuser"])
