#!/usr/bin/env bash
# Installs the independent judges that the tests ask: abcm2ps, abcmidi, MuseScore 3 and (with node) abcjs.
# Asks for nothing; without root, sudo or a network it says what is left out and goes on.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)

say() { printf 'judges: %s\n' "$*" >&2; }

. "$here/scripts/apt.sh"

wanted=()
command -v abcm2ps >/dev/null || wanted+=(abcm2ps)
command -v abc2midi >/dev/null && command -v abc2abc >/dev/null || wanted+=(abcmidi)
command -v mscore3 >/dev/null || command -v mscore >/dev/null || command -v musescore3 >/dev/null || wanted+=(musescore3)
command -v node >/dev/null && command -v npm >/dev/null || wanted+=(nodejs npm)

if [ ${#wanted[@]} -gt 0 ]; then
    if can_install; then
        install_all "${wanted[@]}"
    else
        say "LEFT OUT: ${wanted[*]}; the tests that ask them will be skipped"
    fi
fi

node_folder=$here/tests/support/judges/node
if [ "$node_folder/node_modules/.package-lock.json" -nt "$node_folder/package-lock.json" ]; then
    :
elif command -v npm >/dev/null; then
    (cd "$node_folder" &&
        { npm ci --no-audit --no-fund --silent </dev/null || npm ci --no-audit --no-fund --silent </dev/null; }) ||
        say "LEFT OUT: abcjs could not be installed"
else
    say "LEFT OUT: abcjs needs node and npm"
fi
exit 0
