"""The explicit list of providers."""

from channels.provider import Provider
from channels.providers.email import Email
from channels.providers.push import Push
from channels.providers.telegram import Telegram
from channels.providers.twilio_sms import TwilioSms
from channels.providers.twilio_voice import TwilioVoice

PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        Push(),
        Email(),
        Telegram(),
        TwilioSms(),
        TwilioVoice(),
    )
}
