"""The description of the API (`/api/schema/`), made once a process: anybody may ask for it, and it takes a second."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

RENDERERS = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """YAML, or JSON for `?format=json` and for whoever accepts JSON."""
    asked = request.GET.get("format") or ("json" if "json" in request.headers.get("Accept", "") else "yaml")
    kind = "json" if asked == "json" else "yaml"
    answer = HttpResponse(rendered(kind), content_type=RENDERERS[kind].media_type)
    answer["Content-Disposition"] = f'inline; filename="cxhub.{kind}"'
    return answer


@cache
def rendered(kind: str) -> bytes:
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    text = RENDERERS[kind]().render(made, renderer_context={})
    return text if isinstance(text, bytes) else text.encode()
