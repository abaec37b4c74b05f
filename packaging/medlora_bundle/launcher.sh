#!/bin/sh
# Runs @MODULE@ with the Python beside it. What would choose other code or other libraries stays outside.
for name in $(env | sed -n 's/^\(\(LD\|GGML\|LLAMA\|OPENSSL\|SSL\)_[A-Z0-9_]*\|PYTHON[A-Z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
here=$(dirname -- "$(readlink -f -- "$0")")
exec "$here/../python/bin/@PYTHON@" -I -B -m @MODULE@ "$@"
