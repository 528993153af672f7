#!/bin/sh
# Installs the locked packages into web/node_modules, unless these very ones are there already.
set -e
cd "$(dirname "$0")"
cmp -s package-lock.json node_modules/.installed.json && exit 0
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json node_modules/.installed.json
