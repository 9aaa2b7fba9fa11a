"""Puts cxhub's own front door before Django's admin."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "customers.administration.Administration"
