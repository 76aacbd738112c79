# Installing packages of Debian, for the scripts that source this; they define `say`. Asks for nothing.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Whether packages can be installed without a question; says why not.
can_install() {
    command -v apt-get >/dev/null || { say "no apt-get here"; return 1; }
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || { say "neither root nor sudo without a password"; return 1; }
}

# Install packages, reading the lists of packages first; a failure of the network is given a second chance.
install_packages() {
    install_once "$@" || { say "apt-get failed, trying once more"; sleep 5; install_once "$@"; }
}

# As many of the packages as can be had: one that cannot must not take the others with it.
install_all() {
    install_packages "$@" && return
    local package
    for package in "$@"; do
        install_once "$package" || say "LEFT OUT: $package could not be installed"
    done
}

install_once() {
    as_root apt-get update -qq </dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}
