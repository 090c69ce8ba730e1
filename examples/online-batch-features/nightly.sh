#!/bin/sh
# Once a night, from cron or a systemd timer: the day before, as the device's log has it, becomes a line per meter in the
# table that the device joins. `nightly.sh DAY` does another day. HEADWATER says how to call headwater.
set -eu
cd "$(dirname "$0")"
headwater=${HEADWATER:-npx headwater}
day=${1:-$(date -u -d yesterday +%F)}
next=$(date -u -d "$day + 1 day" +%F)

$headwater data export site-data --source meter --from "$day" --to "$next" > day.csv
$headwater pipeline run profile.yaml --data day.csv --out profile.new.csv
# The header once, then only what is new: the device follows the file.
[ -s profile.csv ] || head -n 1 profile.new.csv > profile.csv
tail -n +2 profile.new.csv >> profile.csv
rm day.csv profile.new.csv
