"""The app of channels; it hears when a person is erased."""

from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "channels"

    def ready(self) -> None:
        from channels.erasing import wipe
        from customers.erasure import erased

        erased.connect(wipe, dispatch_uid="channels.erasing.wipe")
