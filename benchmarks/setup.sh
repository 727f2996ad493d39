#!/bin/sh
# Installs the peers into $BENCH_WORK (default ~/bench-work), one byte-compiled venv each, and builds the mock provider.
# About 0.6 GB. Name venvs to install only those: ./setup.sh base openai
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${BENCH_WORK:-$HOME/bench-work}
# The real binary: the shims of version managers would add their own start-up time.
python=$("${PYTHON:-python3}" -c 'import sys; print(sys._base_executable)')

packages() {
  case $1 in
    base) echo httpx msgspec aiohttp ;;
    httpx2) echo httpx2 msgspec ;;
    openai) echo openai ;;
    litellm) echo litellm ;;
    *) echo "unknown venv: $1" >&2; return 2 ;;
  esac
}

mkdir -p "$work/venvs"
[ $# -gt 0 ] || set -- base httpx2 openai litellm
for name in "$@"; do
  wanted=$(packages "$name")
  "$python" -m venv --clear "$work/venvs/$name"
  # shellcheck disable=SC2086 # one word a package
  "$work/venvs/$name/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
  echo "$name: installed"
done
cc -O2 -Wall -Wextra -o "$work/mock_upstream" "$here/mock_upstream.c"
echo "mock_upstream: built"
