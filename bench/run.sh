#!/usr/bin/env bash
# Runs standard workloads (W1, W2, W6, W7; others by WORKLOADS="W1 W1c W3 W4") in headwater and in embedded
# Java Paimon, one after the other, and in a third engine if there is one, checks that their check
# values agree, and prints a table of ratios.
#
#   ROWS=10000000 COMMITS=10 THREADS=2 HEAP=8g bench/run.sh [DIR]
#
# DIR: where both warehouses go (about 200 bytes per row and engine); by default a new directory
# below the system's temporary one, removed at the end. MEMORY=SIZE bounds headwater's buffers.
# CROSS=1 lets Java scan the table that headwater wrote, too. HEADWATER=PATH takes that binary
# instead of building one. PEER_RUST=PATH runs that program, too: one that takes the arguments of
# `headwater bench` and prints such lines of JSON, as bench/peer-rust does. The JSON lines of all measurements end up in bench/results/.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
rows=${ROWS:-10000000}
commits=${COMMITS:-10}
threads=${THREADS:-2}
workloads=${WORKLOADS:-W1 W2 W6 W7}
export HEAP=${HEAP:-8g}

say() { printf '%s\n' "$*" >&2; }

if [ -n "${HEADWATER:-}" ]; then
  headwater=$HEADWATER
else
  say "building headwater (release)"
  cargo build --release --manifest-path "$root/Cargo.toml" -p headwater-cli
  headwater=${CARGO_TARGET_DIR:-$root/target}/release/headwater
fi

oracle=$root/compat/oracle/oracle.sh
say "building the Java side"
# Without arguments it builds, prints its usage and exits with 2.
"$oracle" >/dev/null 2>&1 || [ $? -eq 2 ] || { "$oracle"; exit 1; }

if [ $# -gt 0 ]; then
  dir=$1
  mkdir -p "$dir"
else
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
fi
results=$root/bench/results
mkdir -p "$results"
ours=$results/headwater.jsonl
java=$results/java.jsonl
peer=$results/peer.jsonl
: >"$ours"
: >"$java"
: >"$peer"

memory=()
if [ -n "${MEMORY:-}" ]; then memory=(--memory "$MEMORY"); fi
size=(--rows "$rows" --commits "$commits" --threads "$threads")

for workload in $workloads; do
  say "$workload: headwater"
  "$headwater" bench "$workload" "$dir/headwater" "${size[@]}" ${memory[@]+"${memory[@]}"} |
    tee -a "$ours" >&2
  say "$workload: Java, heap $HEAP"
  mkdir -p "$dir/java"
  # headwater's tables of W1, W6 and W7 are not compacted while they are written; nor are Java's.
  "$oracle" bench "$workload" "$dir/java" "${size[@]}" --write-only true | tee -a "$java" >&2
  # The third engine has W1 and W2, and scans headwater's table in W4: it does not compact.
  if [ -n "${PEER_RUST:-}" ]; then
    case $workload in
      W1 | W2) table=$dir/peer ;;
      W4) table=$dir/headwater ;;
      *) continue ;;
    esac
    say "$workload: $PEER_RUST"
    mkdir -p "$table"
    "$PEER_RUST" "$workload" "$table" "${size[@]}" | tee -a "$peer" >&2
  fi
done

if [ "${CROSS:-0}" = 1 ]; then
  say "W2: Java on headwater's table"
  "$oracle" bench W2 "$dir/headwater" "${size[@]}" | tee "$results/java-on-headwater.jsonl" >&2
fi

# Takes the JSON lines of headwater and of others: NAME FILE NAME FILE ... A name that begins with
# '-' is only compared, not shown.
compare() {
  local names=() files=()
  while [ $# -gt 0 ]; do
    names+=("$1")
    files+=("$2")
    shift 2
  done
  awk -v names="${names[*]}" '
    function text(name,    rest) {
      if (!match($0, "\"" name "\":")) return ""
      rest = substr($0, RSTART + RLENGTH)
      sub(/[,}].*/, "", rest)
      gsub(/"/, "", rest)
      return rest
    }
    BEGIN { engines = split(names, name, " ") }
    FNR == 1 { file++ }
    {
      op = text("op")
      peak = text("write_peak_rss_kb")
      if (peak == "") peak = text("peak_rss_kb")
      check = substr($0, index($0, "\"check\":"))
      seconds[file, op] = text("seconds"); memory[file, op] = peak; size[file, op] = text("bytes")
      if (file == 1) { order[++n] = op; checks[op] = check }
      else if (checks[op] != check) {
        printf "DIFFERENT %s\n  %s %s\n  %s %s\n", op, name[1], checks[op], name[file], check
        bad = 1
      }
    }
    END {
      head = "| workload |"; rule = "|---|"
      for (e = 1; e <= engines; e++) {
        if (name[e] ~ /^-/) continue
        head = head " " name[e] " s | MB | table MB |"; rule = rule "---|---|---|"
        if (e > 1) { head = head " " name[e] " / " name[1] " |"; rule = rule "---|" }
      }
      print head; print rule
      for (i = 1; i <= n; i++) {
        op = order[i]
        row = "| " op " |"
        for (e = 1; e <= engines; e++) {
          if (!((e, op) in seconds)) {
            if (name[e] == "Rust-crate") { row = row " | | | |"; continue }
            printf "MISSING %s in %s\n", op, name[e]; bad = 1; continue
          }
          if (name[e] ~ /^-/) continue
          row = row sprintf(" %.2f | %d | %d |", seconds[e, op], memory[e, op] / 1024, size[e, op] / 1e6)
          own = seconds[1, op] > 0 ? seconds[1, op] : 0.001
          if (e > 1) row = row sprintf(" %.2f |", seconds[e, op] / own)
        }
        print row
      }
      exit bad
    }
  ' "${files[@]}"
}

engines=(headwater "$ours" Java "$java")
if [ -n "${PEER_RUST:-}" ]; then engines+=(Rust-crate "$peer"); fi
compare "${engines[@]}" | tee "$results/table.md"
if [ "${CROSS:-0}" = 1 ]; then
  grep '"op":"W2' "$ours" >"$results/headwater-w2.jsonl"
  cross=$results/java-on-headwater.jsonl
  compare headwater "$results/headwater-w2.jsonl" Java-on-headwater "$cross" |
    tee -a "$results/table.md"
fi
say "check values agree"
