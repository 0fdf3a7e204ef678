#!/bin/sh
# runc for a machine that lacks CAP_SYS_RESOURCE, as some virtual machines do. dockerd gives
# a privileged container every capability that there is, and runc then fails to apply the
# one that is missing; so that one is taken out of what a container, or a process that is
# added to one, is started with. Without this the docker-container driver cannot start.
previous=
for argument; do
  case $previous in
    --bundle) file=$argument/config.json ;;
    --process) file=$argument ;;
    *) file= ;;
  esac
  [ -z "$file" ] || sed -i 's/"CAP_SYS_RESOURCE",//g' "$file"
  previous=$argument
done
exec runc "$@"
