#!/bin/sh
# Builds once, then runs: oracle.sh <subcommand> ...   (HEAP=1g by default; see README.md)
# Any number of processes may start it at once: a file lock lets one of them build.
here=$(cd "$(dirname "$0")" && pwd)
target="$here/target"; lib="$target/lib"; cls="$target/classes"; stamp="$target/.built"

built() {
  [ -f "$stamp" ] && [ -z "$(find "$here/src" "$here/pom.xml" -newer "$stamp" | head -1)" ]
}

build() {
  if [ ! -d "$lib" ] || [ "$here/pom.xml" -nt "$lib" ]; then
    rm -rf "$lib.part" "$lib"
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$lib.part" >&2 || return 1
    mv "$lib.part" "$lib" && touch "$lib" || return 1
  fi
  mkdir -p "$cls" || return 1
  find "$here/src/main/java" -name '*.java' > "$target/sources"
  javac --release 17 -nowarn -proc:none -d "$cls" -cp "$lib/*" @"$target/sources" >&2 || return 1
  touch "$stamp"
}

if ! built; then
  mkdir -p "$target" || exit 1
  exec 9> "$target/.lock" || exit 1
  flock 9 || exit 1
  built || build || exit 1
  exec 9>&-
fi
# shellcheck disable=SC2086
exec java -Xmx"${HEAP:-1g}" $JAVA_OPTS -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  -Dorg.slf4j.simpleLogger.log.org.apache.hadoop=error \
  --add-opens=java.base/java.nio=ALL-UNNAMED -cp "$cls:$lib/*" oracle.Main "$@"
