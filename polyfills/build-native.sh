#!/usr/bin/env bash
# Compiles one native shim: build-native.sh OUT.so SOURCE... -- COMPILER-FLAGS...
# Headers among the sources (*.h) only count for the cache. Several sources are compiled side by side.
# The result is cached under ~/.cache/sdxl/native by a hash of sources, flags and compiler, so a clone or a clean costs nothing.
set -euo pipefail
out=$1; shift
sources=(); units=()
while [[ $# -gt 0 && $1 != -- ]]; do sources+=("$1"); [[ $1 == *.h ]] || units+=("$1"); shift; done
[[ ${1:-} == -- ]] && shift
cxx=${CXX:-g++}
command -v "$cxx" >/dev/null || { echo "error: $cxx not found. Install it: apt-get install -y g++" >&2; exit 1; }
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sdxl/native
mkdir -p "$cache" "$(dirname "$out")"
# Installed -dev packages are part of the key: another libtorch means another shim.
key=$( { cat "${sources[@]}"; echo "$*"; "$cxx" --version | head -1; dpkg-query -W -f '${Package} ${Version}\n' libtorch-dev libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev 2>/dev/null || true; } | sha256sum | cut -c1-40)
built="$cache/$key.so"
if [[ ! -f $built ]]; then
  work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
  objects=(); jobs=()
  for unit in "${units[@]}"; do
    objects+=("$work/${#objects[@]}.o")
    "$cxx" -std=c++17 -O2 -fPIC -fvisibility=hidden -c -o "${objects[-1]}" "$unit" "$@" & jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job"; done
  "$cxx" -shared -o "$built.$$" "${objects[@]}" "$@"
  mv "$built.$$" "$built"
fi
cp "$built" "$out.$$" && mv "$out.$$" "$out"
