#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# verbs: pause, resume, ps, update, events, by hand; and what is refused.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# counter: writes a line ten times a second
counter()
{
	sh_bundle b 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done' "$@"
	start_container "$c" b
	wait_output "$c" 1
}

lines()
{
	wc -l <"$T/$c.out"
}

more_than()
{
	[ "$(lines)" -gt "$1" ]
}

@test "pause stops it, resume lets it go on" {
	local n
	counter
	kata pause "$c"
	equal "$(status_of "$c")" paused
	n=$(lines)
	sleep 1
	# what was under way when it froze
	[ "$(lines)" -le $((n + 1)) ]
	n=$(lines)
	run -1 kata pause "$c"
	has "$output" "container not running"
	run -255 kata exec "$c" true
	has "$output" "cannot exec in a paused container"
	kata resume "$c"
	equal "$(status_of "$c")" running
	eventually 20 more_than "$n"
	run -1 kata resume "$c"
	has "$output" "container not paused"
}

@test "a paused container can be killed and deleted" {
	counter
	kata pause "$c"
	run -1 kata delete "$c"
	has "$output" "that is not stopped: paused"
	kata kill "$c" KILL
	wait_stopped "$c"
	kata delete "$c"
}

@test "a paused container is deleted by force" {
	counter
	kata pause "$c"
	kata delete --force "$c"
	run -1 kata state "$c"
}

@test "ps: host pids, and a table" {
	counter
	equal "$(kata ps --format json "$c")" "[$(cat "$T/$c.pid")]"
	run -0 kata ps "$c"
	has "${lines[0]}" PID
	has "${lines[1]}" "$(cat "$T/$c.pid")"
	equal "${#lines[@]}" 2
}

@test "update: limits of the guest" {
	bundle b '.linux.resources = { memory: { limit: 100000000 }, pids: { limit: 50 } } | .mounts += [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] }]'
	jq '.process.args = ["sleep", "1000"]' "$T/b/config.json" >"$T/new" && mv "$T/new" "$T/b/config.json"
	start_container "$c" b
	# what a group holds is whole pages
	equal "$(kata exec "$c" cat /sys/fs/cgroup/memory.max)" 99999744
	equal "$(kata exec "$c" cat /sys/fs/cgroup/pids.max)" 50
	kata update --memory 80000000 --pids-limit 60 "$c"
	equal "$(kata exec "$c" cat /sys/fs/cgroup/memory.max)" 79998976
	equal "$(kata exec "$c" cat /sys/fs/cgroup/pids.max)" 60
	echo '{"cpu": {"quota": 20000, "period": 100000}}' | kata update --resources - "$c"
	equal "$(kata exec "$c" cat /sys/fs/cgroup/cpu.max)" "20000 100000"
	equal "$(kata exec "$c" cat /sys/fs/cgroup/pids.max)" 60
	run -1 kata update --memory 100G "$c"
	run -1 kata update --memory 100000000000 "$c"
	has "$output" "memory"
}

@test "events --stats" {
	counter
	kata events --stats "$c" >"$T/stats"
	equal "$(jq -r .type "$T/stats")" stats
	equal "$(jq -r .id "$T/stats")" "$c"
	[ "$(jq .data.memory.usage.usage "$T/stats")" -gt 0 ]
	[ "$(jq .data.cpu.usage.total "$T/stats")" -gt 0 ]
	[ "$(jq .data.pids.current "$T/stats")" -gt 0 ]
}

@test "events: stats every interval, oom, and the end" {
	sh_bundle b 'echo up; read l; tail /dev/zero; echo survived; sleep 1000' \
		'.linux.resources = { memory: { limit: 30000000 } }'
	mkfifo "$T/$c.in"
	sleep 1000 >"$T/$c.in" &
	start_container "$c" b
	wait_output "$c" up
	timeout 60 "$KATA_RUNTIME" --root "$ROOT" events --interval 500ms "$c" >"$T/events" 3>&- &
	eventually 20 grep -q '"type":"stats"' "$T/events"
	echo go >"$T/$c.in"
	wait_output "$c" survived
	eventually 20 grep -q '"type":"oom"' "$T/events"
	kata kill "$c" KILL
	wait_stopped "$c"
	wait $!
}

@test "out of memory: the program dies of KILL" {
	sh_bundle b 'exec tail /dev/zero' '.linux.resources = { memory: { limit: 30000000 } }'
	run -137 kata run --bundle "$T/b" "$c"
}

@test "checkpoint and restore are refused, also their help" {
	run -1 kata checkpoint "$c"
	has "$output" "not supported"
	run -1 kata checkpoint --help
	run -1 kata restore --help
}
