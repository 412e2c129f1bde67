#!/bin/sh
# Runs the tests by another release of Node, which npm keeps in its cache: npm run test:node -- 24 [file …]
set -eu
release=$1
shift
exec npx --yes --package "node@$release" -- node --import tsx scripts/test.ts "$@"
