#!/bin/sh
# The operator's tool: from the sources where tsx is installed, from the built code in production, where it is not.
cd "$(dirname "$0")/.." || exit 1
if [ -d node_modules/tsx ]; then
  exec node --import tsx scripts/admin.ts "$@"
fi
exec node --enable-source-maps dist/scripts/admin.js "$@"
