"""What a company may choose, each from one variable of the environment."""

import os
from pathlib import Path

from cxhub.environment import env_bool, env_int, env_secret

BASE_DIR = Path(__file__).resolve().parent.parent

CXHUB_VAR = Path(os.environ.get("CXHUB_VAR") or BASE_DIR / "var").resolve()
"""The data folder: embedded servers, files, keys."""

CXHUB_BODY_DAYS = env_int("CXHUB_BODY_DAYS", 90)
"""For how many days the raw bytes of deliveries are kept, and can be replayed."""

CXHUB_CHANGE_DAYS = env_int("CXHUB_CHANGE_DAYS", 30)
"""For how many days the change feed goes back; an older token is told to start over. 0: for ever."""

CXHUB_VIEW_DAYS = env_int("CXHUB_VIEW_DAYS", 1095)
"""For how many days it is kept who looked at which card, and who looked up what. 0: for ever."""

CXHUB_ERASURE_KEY = env_secret("CXHUB_ERASURE_KEY")
"""The key of the hashes of erased handles; a file in CXHUB_VAR where none is given. Lost, erased people may return."""

CXHUB_ERASURE_JOURNAL = os.environ.get("CXHUB_ERASURE_JOURNAL", "")
"""The list of erasures that outlives a restored backup: a file outside the database, in CXHUB_VAR if not said."""

CXHUB_RULES = env_bool("CXHUB_RULES", default=True)
"""Whether the rules decide: they may join two known customers, and object to a link; else the first link stands."""

CXHUB_MASKED_LOOKUPS = env_int("CXHUB_MASKED_LOOKUPS", 60)
"""How many different customers a reader of masked identifiers may look up in an hour."""

CXHUB_AGENT_LOOKUPS = env_int("CXHUB_AGENT_LOOKUPS", 2_000)
"""How many different customers an agent may look up in an hour; 0: any number."""

CXHUB_KEY_LOOKUPS = env_int("CXHUB_KEY_LOOKUPS", 100_000)
"""The same for a key of an integration."""

CXHUB_UNMASKED_CARDS = env_int("CXHUB_UNMASKED_CARDS", 10)
"""How many cards in an hour he may be shown in the clear, each with a reason; 0 for none."""

CXHUB_UNMASKED_MINUTES = env_int("CXHUB_UNMASKED_MINUTES", 10)
"""For how long one of them stays so."""

CXHUB_METRICS_TOKEN = env_secret("CXHUB_METRICS_TOKEN")
"""What Prometheus sends as its bearer token; without one there is no /metrics."""

CXHUB_SMTP_HOST = os.environ.get("CXHUB_SMTP_HOST") or "127.0.0.1"
CXHUB_SMTP_PORT = env_int("CXHUB_SMTP_PORT", 2525)
CXHUB_LMTP_PORT = env_int("CXHUB_LMTP_PORT", 2424)
"""The doors for mail; 0 keeps one shut."""

CXHUB_FETCH_ALLOW_LOOPBACK = env_bool("CXHUB_FETCH_ALLOW_LOOPBACK", default=False)
"""Whether files may be fetched from this machine: for tests only."""

CXHUB_OUTGOING_DAYS = env_int("CXHUB_OUTGOING_DAYS", 30)
"""For how many days outgoing messages and the attempts to deliver them are kept, and can be sent again."""

CXHUB_OUTGOING_INSIDE = frozenset(os.environ.get("CXHUB_OUTGOING_INSIDE", "").lower().replace(",", " ").split())
"""Host names inside the company's own network that outgoing messages may go to, by http too; others must be public."""
