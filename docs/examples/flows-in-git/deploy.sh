#!/bin/sh
# On the machine that runs Pamosnik, in its checkout: deploy.sh ACCOUNT SHOP
set -u
account=$1
files="common/ shops/$2/"

pamosnik --account "$account" flows diff --prune $files
case $? in
  0) ;;                                     # already applied
  3) pamosnik --account "$account" flows apply --prune --yes --require-tests \
       --note "$(git rev-parse --short HEAD)" $files ;;
  *) exit 1 ;;                              # said above; nothing was changed
esac
