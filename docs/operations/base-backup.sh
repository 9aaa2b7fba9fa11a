#!/bin/sh
# One base backup into <folder>/base/<time>, checked; then what the last KEEP (7) of them do not need goes.
# Usage: base-backup.sh <folder> [options of pg_basebackup: -h host -U user …]; <folder>/wal is the archive.
set -eu
folder=$1
shift
name=$(date -u +%Y%m%dT%H%M%SZ)
rm -rf "$folder"/base/.*.part
part=$folder/base/.$name.part
pg_basebackup --pgdata="$part" --format=plain --wal-method=stream --checkpoint=fast --no-password "$@"
pg_verifybackup --quiet "$part"
mv "$part" "$folder/base/$name"
sync "$folder/base"
echo "$folder/base/$name"

old=$(ls -1 "$folder/base" | sort -r | tail -n "+$((${KEEP:-7} + 1))")
for one in $old; do rm -rf "${folder:?}/base/$one"; done
oldest=$(ls -1 "$folder/base" | sort | head -n 1)
first=$(sed -n 's/^START WAL LOCATION: .* (file \([0-9A-F]*\))$/\1/p' "$folder/base/$oldest/backup_label")
pg_archivecleanup "$folder/wal" "$first"
