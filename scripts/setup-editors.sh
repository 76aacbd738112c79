#!/usr/bin/env bash
# Installs the editors that the tests drive: Neovim, Vim and Emacs with eglot (promised), and where they can be had
# Emacs's lsp-mode, and the newest Neovim and Helix, unpacked into build/editors without touching the system.
# `--all` also installs Kate and a screen for it (160 MB) and Qt Creator (400 MB). `--vscode` installs instead what the
# end-to-end test of VS Code needs: Chromium, and code-server in a cache folder of the user's (650 MB); exit code 1 if that
# cannot be had. `--promised` only names what the tests may rely on where CI is set. Asks for nothing; without root, sudo or
# a network it says what is left out and goes on.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
promised=(neovim vim emacs-nox elpa-eglot tmux)
wished=(elpa-lsp-mode)
[ "${1:-}" != --all ] || wished+=(kate qtcreator xvfb xdotool)
newest=(neovim hx)

say() { printf 'editors: %s\n' "$*" >&2; }

. "$here/scripts/apt.sh"

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

install_system() {
    local missing=() package
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    can_install || { say "LEFT OUT: ${missing[*]}; the tests that drive them will be skipped"; return 0; }
    install_all "${missing[@]}"
}

# Debian's next release has newer editors. apt downloads them with sources and a status of its own; nothing is installed.
unpack_newest() {
    local folder=$here/build/editors/debian-next keys=/usr/share/keyrings/debian-archive-keyring.gpg deb
    [ -x "$folder/usr/bin/hx" ] && [ -x "$folder/usr/bin/nvim" ] && return 0
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && [ -r "$keys" ] ||
        { say "LEFT OUT: newest ${newest[*]}: needs apt-get, dpkg-deb and $keys"; return 0; }
    local work
    work=$(mktemp -d)
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
    : >"$work/status"
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m 1 '/debian/$')
    [ -n "$mirror" ] || { say "LEFT OUT: newest ${newest[*]}: apt names no Debian mirror"; return 0; }
    echo "deb [signed-by=$keys] $mirror testing main" >"$work/sources.list"
    cat >"$work/apt.conf" <<END
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Acquire::Languages "none";
Debug::NoLocking "true";
END
    [ "$(id -u)" = 0 ] && echo 'APT::Sandbox::User "root";' >>"$work/apt.conf"
    if APT_CONFIG=$work/apt.conf apt-get update -qq </dev/null >/dev/null &&
        APT_CONFIG=$work/apt.conf apt-get install -y -qq --download-only --no-install-recommends "${newest[@]}" \
            </dev/null >/dev/null; then
        rm -rf "$folder"
        mkdir -p "$folder"
        for deb in "$work"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$folder"; done
    else
        say "LEFT OUT: newest ${newest[*]}: they could not be downloaded"
    fi
    rm -rf "$work"
}

# code-server is built for the Node that comes with it; the extension's own tools run with the Node on the path.
setup_vscode() {
    install_system chromium fonts-dejavu-core libkrb5-dev g++ make python3
    command -v npm >/dev/null || { say "VS Code's extension needs Node 20 or later with npm: see https://nodejs.org"; return 1; }
    (cd "$here/editors/vscode" && npm ci --no-audit --no-fund && npm run --silent e2e:setup) || return 1
    command -v "${CHROMIUM:-chromium}" >/dev/null || { say "the end-to-end test of VS Code needs Chromium"; return 1; }
}

if [ "${1:-}" = --vscode ]; then
    setup_vscode </dev/null
    exit
fi
if [ "${1:-}" = --promised ]; then
    printf '%s\n' "${promised[@]}"
    exit 0
fi
install_system "${promised[@]}" "${wished[@]}"
unpack_newest
exit 0
