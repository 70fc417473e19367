#!/bin/sh
# evaluate.sh [ZONE [SIZE]]: one SQL expression a line on stdin, one JSON object a line on stdout, as
# stock Flink 1.20 evaluates it in batch mode. SIZE expressions share a query (30).
here=$(cd "$(dirname "$0")" && pwd)
lib="$here/target/lib"; cls="$here/target/classes"; source="$here/src/main/java/headwater/Expressions.java"
[ -d "$lib" ] || mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$lib" >&2 || exit 1
if [ ! -f "$cls/headwater/Expressions.class" ] || [ "$source" -nt "$cls/headwater/Expressions.class" ]; then
  mkdir -p "$cls" && javac --release 17 -nowarn -proc:none -d "$cls" -cp "$lib/*" "$source" >&2 || exit 1
fi
exec java -Xmx"${HEAP:-1500m}" -Duser.timezone=UTC --add-opens=java.base/java.util=ALL-UNNAMED \
  --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED \
  -cp "$cls:$lib/*" headwater.Expressions "$@"
