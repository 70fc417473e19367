#!/usr/bin/env bash
# Runs the standard workloads W1 and W2 in headwater and in embedded Java Paimon, one after the
# other, checks that their check values agree, and prints a table of ratios.
#
#   ROWS=10000000 COMMITS=10 THREADS=2 HEAP=8g bench/run.sh [DIR]
#
# DIR: where both warehouses go (about 200 bytes per row and engine); by default a new directory
# below the system's temporary one, removed at the end. MEMORY=SIZE bounds headwater's buffers.
# CROSS=1 lets Java scan the table that headwater wrote, too. HEADWATER=PATH takes that binary
# instead of building one. The JSON lines of all measurements end up in bench/results/.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
rows=${ROWS:-10000000}
commits=${COMMITS:-10}
threads=${THREADS:-2}
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
: >"$ours"
: >"$java"

memory=()
if [ -n "${MEMORY:-}" ]; then memory=(--memory "$MEMORY"); fi
size=(--rows "$rows" --commits "$commits" --threads "$threads")

for workload in W1 W2; do
  say "$workload: headwater"
  "$headwater" bench "$workload" "$dir/headwater" "${size[@]}" ${memory[@]+"${memory[@]}"} |
    tee -a "$ours" >&2
  say "$workload: Java, heap $HEAP"
  mkdir -p "$dir/java"
  "$oracle" bench "$workload" "$dir/java" "${size[@]}" | tee -a "$java" >&2
done

if [ "${CROSS:-0}" = 1 ]; then
  say "W2: Java on headwater's table"
  "$oracle" bench W2 "$dir/headwater" "${size[@]}" | tee "$results/java-on-headwater.jsonl" >&2
fi

# Takes the JSON lines of headwater, of Java, and perhaps of Java on headwater's table.
compare() {
  awk '
    function text(name,    rest) {
      if (!match($0, "\"" name "\":")) return ""
      rest = substr($0, RSTART + RLENGTH)
      sub(/[,}].*/, "", rest)
      gsub(/"/, "", rest)
      return rest
    }
    {
      op = text("op")
      peak = text("write_peak_rss_kb")
      if (peak == "") peak = text("peak_rss_kb")
      check = substr($0, index($0, "\"check\":"))
    }
    FNR == 1 { file++ }
    file == 1 {
      order[++n] = op
      seconds[op] = text("seconds"); memory[op] = peak; size[op] = text("bytes"); checks[op] = check
      next
    }
    {
      if (checks[op] != check) {
        printf "DIFFERENT %s\n  headwater %s\n  %s %s\n", op, checks[op], text("engine"), check
        bad = 1
      }
    }
    file == 2 { jseconds[op] = text("seconds"); jmemory[op] = peak; jsize[op] = text("bytes") }
    END {
      print "| workload | headwater s | Java s | Java / headwater | peak MB | Java MB | table MB | Java MB |"
      print "|---|---|---|---|---|---|---|---|"
      for (i = 1; i <= n; i++) {
        op = order[i]
        if (!(op in jseconds)) { printf "MISSING %s in Java\n", op; bad = 1; continue }
        printf "| %s | %.2f | %.2f | %.2f | %d | %d | %d | %d |\n", op, seconds[op], jseconds[op],
          jseconds[op] / (seconds[op] > 0 ? seconds[op] : 0.001), memory[op] / 1024,
          jmemory[op] / 1024, size[op] / 1e6, jsize[op] / 1e6
      }
      exit bad
    }
  ' "$@"
}

files=("$ours" "$java")
if [ "${CROSS:-0}" = 1 ]; then files+=("$results/java-on-headwater.jsonl"); fi
compare "${files[@]}" | tee "$results/table.md"
say "check values agree"
