#!/bin/sh
# Makes the secret files that docker-compose.yml names, in ./secrets or the folder given; what is there is kept.
# The folder is closed to others. The files are not: in a container they belong to another user than here.
set -eu
folder=${1:-secrets}
mkdir -p "$folder"
chmod 700 "$folder"

random() {
    head -c 36 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'
}
keep() {
    if [ ! -e "$folder/$1" ]; then
        printf '%s\n' "$2" >"$folder/.$1"
        chmod 444 "$folder/.$1"
        mv "$folder/.$1" "$folder/$1"
    fi
}

keep secret_key "$(random)$(random)"
keep erasure_key "$(random)$(random)"
keep metrics_token "$(random)"
keep postgres_password "$(random)"
keep database_url "postgresql://cxhub:$(cat "$folder/postgres_password")@postgres/cxhub"
keep valkey_conf "requirepass $(random)"
keep redis_url "redis://:$(sed -n 's/^requirepass //p' "$folder/valkey_conf")@valkey:6379/0"
keep replica_url ""
keep oidc_client_secret ""
keep aws_credentials ""
