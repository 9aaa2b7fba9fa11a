"""Addresses of the console."""

from django.urls import path

from customers.console.views import card, find

urlpatterns = [
    path("", find, name="find"),
    path("customers/<customer>", card, name="card"),
]
