#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the bash scripts here say of themselves. Sourced by each before it leaves the caller's folder, not run by itself.

# help_if_asked "$@": with -h or --help among the words, prints the script's header comment and ends with 0.
help_if_asked() {
  local word
  for word in "$@"; do
    if [[ $word == -h || $word == --help ]]; then
      sed -n '3,$ { /^#/!q; s/^# \{0,1\}//p; }' "$0"
      exit 0
    fi
  done
}

# only_names MOST "$@": ends with 2 at a word that begins with -, or where there are more than MOST words; MOST "": any number.
only_names() {
  local most=$1 name=${0##*/} word
  shift
  for word in "$@"; do
    if [[ $word == -* ]]; then
      echo "$name: unknown option $word; scripts/$name --help says what there is" >&2
      exit 2
    fi
  done
  if [[ -n $most ]] && (($# > most)); then
    echo "$name: got $# words ($*), wanted at most $most; scripts/$name --help says what there is" >&2
    exit 2
  fi
}

# sources PATTERN...: the files of the repository in the array files; ends with 1 where git cannot list any.
sources() {
  local list
  if ! list=$(git ls-files -- "$@") || [[ -z $list ]]; then
    echo "${0##*/}: git lists no sources in $PWD, so nothing was looked at; run it in a clone of your own" >&2
    exit 1
  fi
  mapfile -t files <<<"$list"
}

# from_here PATH: absolute, as the caller's folder has it; call it before leaving that.
from_here() { realpath -m -s -- "$1"; }
