"""Two of Django's middlewares without what cxhub has no use for: a read of the API must not pay for it (8 %)."""

from collections.abc import Callable

from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

PROGRAMS = ("/api/", "/hooks/")


class LanguageMiddleware:
    """Django's LocaleMiddleware, where no address begins with a language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        answer = self.get_response(request)
        patch_vary_headers(answer, ("Accept-Language",))
        answer.headers.setdefault("Content-Language", translation.get_language())
        return answer


class PageMessageMiddleware(MessageMiddleware):
    """What a page tells on the next one; programs read no pages."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.path.startswith(PROGRAMS):
            super().process_request(request)
