"""Addresses of the channels' API, below /api/v1/."""

from django.urls import path

from channels.api.deliveries import DeliveriesView, ReplayView
from channels.api.events import EventsView, ReceiptView
from channels.api.sources import SourcesView

urlpatterns = [
    path("events", EventsView.as_view()),
    path("receipts/<str:receipt>", ReceiptView.as_view()),
    path("deliveries", DeliveriesView.as_view()),
    path("deliveries/<str:receipt>/replay", ReplayView.as_view()),
    path("sources", SourcesView.as_view()),
]
