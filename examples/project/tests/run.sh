#!/bin/sh
# Builds tally and compares what it prints with what it should.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p build && gcc -Wall -Wextra -Werror -o build/tally src/*.c || exit 1

failed=0
expect() { # WANTED INPUT [OPTION...]
  wanted=$1
  input=$2
  shift 2
  got=$(printf '%b' "$input" | build/tally "$@")
  if [ "$got" = "$wanted" ]; then
    echo "ok    tally $* of \"$input\" is $wanted"
  else
    echo "FAIL  tally $* of \"$input\" is $got, not $wanted"
    failed=1
  fi
}

expect 3 'one two three\n'
expect 2 'two  spaces\n'
expect 2 'no newline'
expect 0 ''
exit $failed
