#!/usr/bin/env python
"""Django's commands, on the servers of CXHUB_VAR: those that run there, else its own for as long as it works."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from cxhub.embedded import Servers, ServersUnavailable, secret_key, start

WITHOUT_SERVERS = {"help", "version", "--help", "-h", "--version", "compilemessages", "makemessages", "collectstatic"}


def main(argv: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")
    var = Path(os.environ.get("CXHUB_VAR") or Path(__file__).resolve().parent / "var").resolve()
    os.environ["CXHUB_VAR"] = str(var)
    signal.signal(signal.SIGTERM, _terminate)
    servers = Servers({})
    try:
        if len(argv) > 1 and argv[1] not in WITHOUT_SERVERS:
            servers = start(var)
            servers.export()
        secret_key(var)
        from django.core.management import execute_from_command_line

        execute_from_command_line(argv)
    except ServersUnavailable as error:
        print(f"manage.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        servers.stop(wait_for_others=True)
    return 0


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(143)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
