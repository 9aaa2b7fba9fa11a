#!/bin/sh
# PostgreSQL's archive_command: sh archive-wal.sh %p <folder>/%f
# Whole or not at all, on disk before it is said to be there, and never something else under a known name.
set -eu
from=$1 to=$2
if [ -e "$to" ]; then
    cmp -s "$from" "$to" && exit 0
    echo "archive-wal: $to is there with other content" >&2
    exit 1
fi
cp "$from" "$to.part"
sync "$to.part"
mv "$to.part" "$to"
sync "$(dirname "$to")"
