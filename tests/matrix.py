"""Who may do what at which address: the table that `test_matrix.py` holds against every route of the service.

`methods`: HEAD goes with GET; every other method is refused. `who may`: a word of `MAY`, once for all methods of the
row. A route with a row of its own for another method is written twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

SESSIONS = ("nobody's role", "masked", "masked agent", "agent", "supervisor", "administrator")
"""Who signed in, by role."""
KEYS = ("ingest", "read", "read:masked", "write", "write, masked", "admin", "admin, masked")
"""Keys, by scopes."""
ANONYMOUS = ("nobody", "a key that was revoked", "a key that expired", "an agent who was made inactive")
EVERYBODY = (*ANONYMOUS, *SESSIONS, *(f"key {one}" for one in KEYS))

AGENTS = {"agent", "masked agent", "supervisor", "administrator"}
READERS = {*AGENTS, "masked"}
WRITING = {"key write", "key write, masked", "key admin", "key admin, masked"}
READING = {*WRITING, "key read", "key read:masked"}
HIDDEN = {one for one in EVERYBODY if "masked" in one}

MAY: dict[str, set[str]] = {
    "anyone": set(EVERYBODY),
    # Over the API, by key or signed in.
    "read": READERS | READING,
    "read whole": (READERS | READING) - HIDDEN,
    "read, manage": {"supervisor", "administrator"} | READING,
    "write": AGENTS | WRITING,
    "admin": {"administrator", "key admin", "key admin, masked"},
    "admin whole": {"administrator", "key admin"},
    "ingest": {"key ingest"},
    "read or ingest": READERS | READING | {"key ingest"},
    # Pages: who signed in; a key is nobody there.
    "reader": READERS,
    "whole reader": READERS - HIDDEN,
    "masked": {"masked", "masked agent"},
    "agent": AGENTS,
    "whole agent": AGENTS - HIDDEN,
    "supervisor": {"supervisor", "administrator"},
    # Off until configured: see tests/test_second_factor.py and tests/test_company_sign_in.py.
    "configured": set(),
    "administrator": {"administrator"},
    # Proven otherwise: see the tests of these doors.
    "token": set(),
    "signature": set(),
}

# route                                                methods           who may
TABLE = """
healthz                                                GET               anyone
readyz                                                 GET               anyone
metrics                                                GET               token
hooks/<provider>/<key>                                 POST              signature
login/                                                 GET POST PUT      anyone
login/code                                             GET POST          configured
login/oidc                                             GET               configured
login/oidc/callback                                    GET               configured
logout/                                                POST              anyone
api/schema/                                            GET               anyone
api/docs/                                              GET               anyone
^api/                                                  -                 anyone

api/v1/customers                                       GET               read
api/v1/customers/<str:customer>                        GET               read
api/v1/customers/<str:customer>                        PATCH             write
api/v1/customers/<str:customer>/timeline               GET               read
api/v1/customers/<str:customer>/export                 GET               read whole
api/v1/customers/<str:customer>/changes                GET               read
api/v1/customers/<str:customer>/brief                  GET               read
api/v1/customers/<str:customer>/clear                  GET POST          masked
api/v1/customers/<str:customer>/notes                  POST              write
api/v1/customers/<str:customer>/dossier                GET               admin whole
api/v1/customers/<str:customer>/erasure-preview        GET               admin
api/v1/customers/<str:customer>/erase                  POST              admin
api/v1/erasures                                        GET               admin
api/v1/customers/<str:customer>/links                  GET               read
api/v1/customers/<str:customer>/merge-preview          GET               read
api/v1/customers/<str:customer>/merge                  POST              write
api/v1/customers/<str:customer>/split                  POST              write
api/v1/customers/<str:customer>/consents               GET               read
api/v1/customers/<str:customer>/consents               POST              write
api/v1/customers/<str:customer>/hold                   POST              admin
api/v1/customers/<str:customer>/views                  GET               read, manage
api/v1/customers/<str:customer>/scores                 GET               read
api/v1/customers/<str:customer>/scores                 POST              write
api/v1/interactions/<uuid:line>/scores                 POST              write
api/v1/experience/scores                               GET               read, manage
api/v1/scores                                          GET               read, manage
api/v1/experience/churn                                GET               read, manage
api/v1/experience/churn/customers                      GET               read, manage
api/v1/experience/answers                              GET               read, manage
api/v1/segments                                        GET               read
api/v1/segments                                        POST              write
api/v1/segments/count                                  POST              read
api/v1/segments/<int:segment>                          GET               read
api/v1/segments/<int:segment>                          PUT DELETE        write
api/v1/segments/<int:segment>/customers                GET               read
api/v1/segments/<int:segment>/export                   GET               read whole
api/v1/dates                                           GET               read
api/v1/customers/<str:customer>/requests               GET               read
api/v1/customers/<str:customer>/journey                GET               read
api/v1/experience/journey                              GET               read, manage
api/v1/experience/journey/customers                    GET               read, manage
api/v1/requests                                        GET               read
api/v1/requests/<uuid:matter>/solve                    POST              write
api/v1/requests/<uuid:matter>/reopen                   POST              write
api/v1/requests/<uuid:matter>/merge                    POST              write
api/v1/requests/<uuid:matter>/split                    POST              write
api/v1/feedback                                        GET               read
api/v1/feedback/<uuid:feedback>/answer                 POST              write
api/v1/feedback/<uuid:feedback>/solve                  POST              write
api/v1/feedback/<uuid:feedback>/tell                   POST              write
api/v1/links/<str:link>/undo                           POST              write
api/v1/candidates                                      GET               read
api/v1/candidates/<str:candidate>/accept               POST              write
api/v1/candidates/<str:candidate>/reject               POST              write
api/v1/interactions/<uuid:line>/assign                 POST              write
api/v1/interactions/<uuid:line>/assign/undo            POST              write
api/v1/identities/<str:identity>/share                 POST              write
api/v1/identities/<str:identity>/unshare               POST              write
api/v1/identities/<str:identity>/block                 POST              write
api/v1/identities/<str:identity>/unblock               POST              write
api/v1/identities/<str:identity>/release               POST              write
api/v1/identities/<str:identity>/release/undo          POST              write
api/v1/promises                                        GET               read
api/v1/promises/<uuid:promise>                         GET               read
api/v1/promises/<uuid:promise>/close                   POST              write
api/v1/promises/<uuid:promise>/reopen                  POST              write
api/v1/promises/<uuid:promise>/move                    POST              write
api/v1/promises/<uuid:promise>/assign                  POST              write
api/v1/customers/<str:customer>/promises               GET               read
api/v1/customers/<str:customer>/promises               POST              write
api/v1/interactions/<uuid:line>/promises               GET               read
api/v1/interactions/<uuid:line>/promises               POST              write
api/v1/expectations                                    GET               read
api/v1/expectations/<uuid:expectation>/outcome         POST              write
api/v1/customers/<str:customer>/expectations           GET               read
api/v1/customers/<str:customer>/expectations           POST              write
api/v1/interactions/<uuid:line>/expectations           POST              write
api/v1/lookup                                          GET               read
api/v1/search                                          GET               read whole
api/v1/attachments/<uuid:attachment>                   GET               read
api/v1/keys                                            POST              admin whole
api/v1/events                                          POST              ingest
api/v1/receipts/<str:receipt>                          GET               read or ingest
api/v1/deliveries                                      GET               admin
api/v1/deliveries/<str:receipt>/replay                 POST              admin
api/v1/sources                                         POST              admin
api/v1/subscriptions                                   GET POST          admin whole
api/v1/subscriptions/<uuid:subscription>               GET PATCH DELETE  admin whole
api/v1/subscriptions/<uuid:subscription>/rotate        POST              admin whole
api/v1/subscriptions/<uuid:subscription>/test          POST              admin whole
api/v1/subscriptions/<uuid:subscription>/redeliver     POST              admin whole
api/v1/subscriptions/<uuid:subscription>/messages      GET               admin whole
api/v1/subscriptions/messages/<str:message>/redeliver  POST              admin whole

                                                       GET               reader
lookup                                                 GET               reader
lookup/note                                            POST              agent
now                                                    GET               reader
profile                                                GET POST          reader
profile/again                                          GET POST          configured
profile/again/code                                     GET POST          configured
profile/factor                                         GET POST          configured
profile/factor/off                                     GET POST          configured
profile/recovery                                       GET               configured
profile/recovery/new                                   GET POST          configured
customers/<customer>                                   GET               reader
customers/<customer>/side                              GET               reader
customers/<customer>/lines                             GET               reader
customers/<customer>/lines/<interaction>               GET               reader
customers/<customer>/lines/<interaction>/conversation  GET               whole reader
customers/<customer>/lines/<interaction>/letter        GET               whole reader
customers/<customer>/export                            GET               whole reader
customers/<customer>/news                              GET               reader
customers/<customer>/notes                             POST              agent
customers/<customer>/contacts.svg                      GET               reader
customers/<customer>/contacts                          GET               reader
customers/<customer>/clear                              GET POST          reader
customers/<customer>/known                             GET POST          whole agent
customers/<customer>/merge                             GET POST          agent
customers/<customer>/split                             GET POST          agent
customers/<customer>/consent                           POST              agent
customers/<customer>/hold                              GET POST          supervisor
customers/<customer>/links                             GET               reader
customers/<customer>/links/<link>/undo                 GET POST          agent
customers/<customer>/handles/<handle>                  GET POST          agent
customers/<customer>/move/<interaction>                GET POST          agent
candidates/<candidate>                                 GET POST          agent
customers/<customer>/promise                           GET POST          agent
customers/<customer>/promise/<interaction>             GET POST          agent
promises                                               GET               reader
promises/<uuid:number>                                 GET POST          agent
customers/<customer>/expectation                       GET POST          agent
customers/<customer>/expectation/<interaction>         GET POST          agent
expectations/<uuid:number>                             GET POST          agent
feedback                                               GET               reader
feedback/<uuid:feedback>                               POST              agent
segments                                               GET               reader
segments/new                                           GET               reader
segments/new                                           POST              agent
segments/<int:number>                                  GET               reader
segments/<int:number>                                  POST              agent
segments/<int:number>/export                           GET               whole reader
experience                                             GET               supervisor
experience/scores                                      GET               supervisor
experience/left                                        GET               supervisor
experience/matters                                     GET               supervisor
experience/journey                                     GET               supervisor
experience/journey/customers                           GET               supervisor
requests                                               GET               reader
customers/<customer>/requests/<uuid:number>            GET               reader
customers/<customer>/requests/<uuid:number>            POST              agent
queue                                                  GET               supervisor
queue/views                                            GET               supervisor
queue/holds                                            GET               supervisor
queue/clear                                            GET               supervisor
queue/deliveries                                       GET               supervisor
queue/deliveries/replay                                POST              supervisor
queue/deliveries/<receipt>                             GET POST          supervisor
queue/sources                                          GET               supervisor

admin/**                                               -                 administrator
"""


@dataclass(frozen=True, slots=True)
class Row:
    route: str
    methods: frozenset[str]
    who: str

    @property
    def may(self) -> set[str]:
        return MAY[self.who]

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/v1/")


def rows() -> Iterator[Row]:
    """The table, read; the empty route is the front page."""
    for line in TABLE.strip("\n").splitlines():
        if line.strip():
            route, rest = line[:55].strip(), line[55:]
            methods, who = rest[:18].split(), rest[18:].strip()
            assert who in MAY, line
            yield Row(route, frozenset(methods) - {"-"} | ({"HEAD"} if "GET" in methods else set()), who)


def routes() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every address that the service answers, with its view."""
    yield from walked(get_resolver().url_patterns, "")


def walked(patterns: Any, prefix: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from walked(pattern.url_patterns, route)
        else:
            yield route, pattern.callback
