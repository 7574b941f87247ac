#!/bin/sh
# Sees to it that the containers' user may use the inbox, or says what to change. Run as root, before the services.
# An empty folder of root's is one that Docker has just made: it is given to that user. No other folder is touched.
set -eu
uid="$1" gid="$2" inbox=/inbox

is_usable() {
  setpriv --reuid "$uid" --regid "$gid" --clear-groups sh -c 'test -r "$0" -a -w "$0" -a -x "$0"' "$inbox"
}

is_usable && exit

owner="$(stat -c %u "$inbox")" group="$(stat -c %g "$inbox")"
if [ "$owner" = 0 ] && [ -z "$(ls -A "$inbox")" ]; then
  chown "$uid:$gid" "$inbox"
  is_usable && exit
fi

echo "The inbox belongs to $owner:$group (mode $(stat -c %a "$inbox")), and copydesk runs as $uid:$gid," >&2
echo "which may not write there. Either run copydesk as its owner, with UID=$owner and GID=$group in .env," >&2
echo "or give the folder away: sudo chown $uid:$gid <the inbox folder>" >&2
exit 1
