"""PostgreSQL refuses to run as root or as a nameless user: finds it another that changes nothing on the machine."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


class NoAccount(Exception):
    """Root or nameless, and no way to be anybody else."""


@dataclass(frozen=True)
class Account:
    """How a server is started: `prefix` goes before its argv, `owner` must own its files (None: whoever we are)."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None
    group: int | None = None
    setuid: bool = False

    @property
    def user_to_become(self) -> int | None:
        return self.owner if self.setuid else None

    @property
    def group_to_become(self) -> int | None:
        return self.group if self.setuid else None

    def give(self, folder: Path) -> None:
        """Make the files of a folder its own, also those of an earlier start by other means."""
        if os.geteuid() != 0:
            return
        owner = 0 if self.owner is None else self.owner
        group = 0 if self.group is None else self.group
        if folder.stat().st_uid == owner:
            return
        for path in [*folder.rglob("*"), folder]:
            os.chown(path, owner, group, follow_symlinks=False)


def account_for(binary: Path, folder: Path) -> Account:
    """The first way that really can enter `folder` and run `binary`, tried in practice."""
    root = os.geteuid() == 0
    if not root and _has_a_name():
        return Account()
    for account in _ways() if root else _ways()[:1]:
        if account.setuid:
            # Passing through is enough: what lies in the folder has modes of its own.
            folder.chmod(folder.stat().st_mode | 0o011)
        if _works(account, binary, folder):
            return account
    raise NoAccount(
        f"PostgreSQL does not run as {'root' if root else 'a user without a name'} and no other account can be used "
        "here: start as an ordinary user, or set DATABASE_URL and REDIS_URL"
    )


def _has_a_name() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _ways() -> list[Account]:
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return []
    uid, gid = nobody.pw_uid, nobody.pw_gid
    ways = []
    # First, because it is the only one that needs no rights.
    if unshare := shutil.which("unshare"):
        # A user namespace in which we are called nobody: the files stay ours, also below a 0700 home.
        ways.append(Account((unshare, "--user", f"--map-user={uid}", f"--map-group={gid}", "--")))
    ways.append(Account((), uid, gid, setuid=True))
    if setpriv := shutil.which("setpriv"):
        # Containers that forbid namespaces: nobody, allowed to pass the folders above the clone.
        # (Without the secure bit access(2) ignores that, and PostgreSQL does not find its own program.)
        allowed = (
            "--inh-caps=-all,+dac_override",
            "--ambient-caps=-all,+dac_override",
            "--securebits=+no_setuid_fixup",
        )
        ways.append(Account((setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *allowed, "--"), uid, gid))
    return ways


def _works(account: Account, binary: Path, folder: Path) -> bool:
    script = 'test "$(id -u)" -ne 0 && test -x "$1" && "$1" --version && test -x "$2"'
    try:
        tried = subprocess.run(
            [*account.prefix, "/bin/sh", "-c", script, "sh", str(binary), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=account.user_to_become,
            group=account.group_to_become,
            extra_groups=[] if account.setuid else None,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return tried.returncode == 0
