#!/bin/sh
# On the machine that runs Pamosnik, in its checkout: ./deploy.sh ACCOUNT SHOP
set -eu
exec pamosnik --account "$1" flows apply --prune --yes --require-tests \
  --note "$(git rev-parse --short HEAD)" common/ "shops/$2/"
