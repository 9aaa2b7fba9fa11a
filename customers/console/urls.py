"""Addresses of the console."""

from django.urls import path

from customers.console import (
    card,
    conversations,
    finding,
    letters,
    live,
    lookup,
    notes,
    now,
    pictures,
    profile,
    timelines,
)

urlpatterns = [
    path("", finding.find, name="find"),
    path("lookup", lookup.lookup, name="lookup"),
    path("now", now.now, name="now"),
    path("profile", profile.profile, name="profile"),
    path("customers/<customer>", card.card, name="card"),
    path("customers/<customer>/lines", timelines.more, name="lines"),
    path("customers/<customer>/lines/<interaction>", timelines.single, name="line"),
    path("customers/<customer>/lines/<interaction>/conversation", conversations.conversation, name="conversation"),
    path("customers/<customer>/lines/<interaction>/letter", letters.letter, name="letter"),
    path("customers/<customer>/news", live.news, name="news"),
    path("customers/<customer>/notes", notes.note, name="notes"),
    path("customers/<customer>/contacts.svg", pictures.contacts, name="picture"),
]
