#!/bin/sh
# First use of a bundle, on a machine that needs no Python:
#   sh install.sh [verify|preflight] [--prefix DIR] [--card HASH] [--key FPR]
# `verify` and `preflight` install nothing: they say whether every byte is as signed, and whether it will run here.
#
# HASH and FPR stand on the printed card. HASH is the SHA-256 of payload/python.tar.gz, which holds the interpreter and
# the verifier. This script checks nothing but that hash; the verifier then checks the signature over all the rest
# before anything of it is used. Without --card and --key both are shown and asked about.
# Nothing is written outside DIR but one folder beside it, which is gone at the end.
set -eu
unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT OPENSSL_CONF OPENSSL_MODULES TAR_OPTIONS GZIP

say() { printf '%s\n' "$*" >&2; }
die() {
    code=$1
    shift
    say "error: $*"
    exit "$code"
}

usage='sh install.sh [verify|preflight] [--prefix DIR] [--card HASH] [--key FINGERPRINT]'
here=$(cd -- "$(dirname -- "$0")" && pwd -P)
command=install afterwards=upgrade
case ${1-} in verify | preflight) command=$1 afterwards=$1 && shift ;; esac
prefix= card= key= HOME=${HOME-}
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die 2 "$1: say $usage"
    case $1 in
    --prefix) prefix=$2 ;;
    --card) card=$2 ;;
    --key) key=$2 ;;
    *) die 2 "$1: say $usage" ;;
    esac
    shift 2
done

[ -n "$prefix$HOME" ] || die 2 "HOME is not set: say with --prefix where to install"
[ -n "$prefix" ] || prefix=$HOME/.local/share/medlora-edge-install
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
if [ -x "$prefix/bin/medlora-setup" ]; then
    die 2 "installed already: go on with '$prefix/bin/medlora-setup' $afterwards '$here'"
fi
[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || die 10 "this is $(uname -s) $(uname -m); the bundle is for Linux x86_64"

# Beside DIR, not in TMPDIR: that may be too small, read-only or closed to programs.
beside=$prefix
until [ -d "$beside" ]; do beside=$(dirname -- "$beside"); done
for left in "$beside"/.medlora-edge-first.*; do # a killed run's
    [ -d "$left" ] && ! kill -0 "${left##*.}" 2>/dev/null && rm -rf -- "$left"
done
work=$beside/.medlora-edge-first.$$
umask 022
mkdir -m 700 -- "$work" || die 4 "cannot write to $beside: choose another place with --prefix"
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT TERM HUP

# The copy is what is hashed and unpacked: a stick can give other bytes the second time.
cp -- "$here/payload/python.tar.gz" "$work/" || die 4 "cannot copy $here/payload/python.tar.gz to $beside"
hash=$(sha256sum "$work/python.tar.gz" | cut -c1-64)
if [ -z "$card" ]; then
    say "SHA-256 of payload/python.tar.gz:" "$hash"
    printf 'Is that what the printed card says? Type yes to go on: ' >&2
    read -r answer || answer=
    [ "$answer" != yes ] || card=$hash
fi
card=$(printf %s "$card" | tr -d ' -' | tr A-F a-f)
[ "$card" = "$hash" ] || die 9 "payload/python.tar.gz has SHA-256 $hash, which is not what the card says: do not use it"

tar -xzf "$work/python.tar.gz" -C "$work" --no-same-owner || die 4 "cannot unpack to $beside"
for python in "$work"/python/bin/python3.[0-9][0-9]; do break; done
"$python" -I -c '' || die 10 "programs of the bundle do not run in $beside: glibc is too old, or it is mounted noexec"
[ "$command" != preflight ] || key= # it looks at this machine, not at the signature
"$python" -I -B -m medlora_setup "$command" --prefix "$prefix" ${key:+--key "$key"} -- "$here"
