"""Addresses of the channels' API, below /api/v1/."""

from django.urls import path

from channels.api.deliveries import DeliveriesView, ReplayView
from channels.api.events import EventsView, ReceiptView
from channels.api.sources import SourcesView
from channels.api.subscriptions import (
    AgainView,
    MessageAgainView,
    MessagesView,
    RotateView,
    SubscriptionsView,
    SubscriptionView,
    TryView,
)

urlpatterns = [
    path("events", EventsView.as_view()),
    path("receipts/<str:receipt>", ReceiptView.as_view()),
    path("deliveries", DeliveriesView.as_view()),
    path("deliveries/<str:receipt>/replay", ReplayView.as_view()),
    path("sources", SourcesView.as_view()),
    path("subscriptions", SubscriptionsView.as_view()),
    path("subscriptions/<uuid:subscription>", SubscriptionView.as_view()),
    path("subscriptions/<uuid:subscription>/rotate", RotateView.as_view()),
    path("subscriptions/<uuid:subscription>/test", TryView.as_view()),
    path("subscriptions/<uuid:subscription>/redeliver", AgainView.as_view()),
    path("subscriptions/<uuid:subscription>/messages", MessagesView.as_view()),
    path("subscriptions/messages/<str:message>/redeliver", MessageAgainView.as_view()),
]
