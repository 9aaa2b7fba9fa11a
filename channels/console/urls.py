"""Addresses of the pages about deliveries and sources."""

from django.urls import path

from channels.console import deliveries, sources

urlpatterns = [
    path("queue/deliveries", deliveries.deliveries, name="queue_deliveries"),
    path("queue/deliveries/replay", deliveries.replay_all, name="queue_replay"),
    path("queue/deliveries/<receipt>", deliveries.delivery, name="queue_delivery"),
    path("queue/sources", sources.sources, name="queue_sources"),
]
