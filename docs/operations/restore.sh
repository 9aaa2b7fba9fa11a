#!/bin/sh
# Makes a new data folder from a base backup, to be rolled forward to a moment when PostgreSQL starts on it.
# Usage: restore.sh <base backup> <folder of archived WAL> <new data folder> ['2026-11-22 14:05:00+00']
# Without a moment it is rolled forward as far as the archive goes. PostgreSQL must not be running on that folder.
set -eu
base=$1 wal=$2 data=$3 moment=${4:-}
if [ -n "$(ls -A "$data" 2>/dev/null)" ]; then
    echo "restore: $data is not empty" >&2
    exit 1
fi
pg_verifybackup --quiet "$base"
mkdir -p "$data"
chmod 700 "$data"
cp -a "$base/." "$data/"
# What an earlier restore was to reach went along with the backup, and would end this one too early.
sed -e '/^restore_command *=/d' -e '/^recovery_target/d' "$base/postgresql.auto.conf" >"$data/postgresql.auto.conf"
{
    printf "restore_command = 'cp \"%s/%%f\" \"%%p\"'\n" "$wal"
    echo "recovery_target_action = 'promote'"
    if [ -n "$moment" ]; then echo "recovery_target_time = '$moment'"; fi
} >>"$data/postgresql.auto.conf"
: >"$data/recovery.signal"
echo "restored into $data; start PostgreSQL on it, then: manage.py migrate"
