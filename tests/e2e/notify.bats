#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# notify: NOTIFY_SOCKET (sd_notify) from a container to the service manager of who started it.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# saying NAME SCRIPT [FILTER...]: a bundle that has notify_say
saying()
{
	sh_bundle "$@"
	cp "$(notify_say)" "$T/$1/rootfs/bin/say"
}

# create_notified ID BUNDLE: created as if by a service
create_notified()
{
	export NOTIFY_SOCKET=$T/none
	create "$@"
	unset NOTIFY_SOCKET
}

# notified [--listen SECONDS] SOCKET ARGUMENT...: kata with NOTIFY_SOCKET; what comes is in $T/said
notified()
{
	local more=()
	[ "$1" != --listen ] || { more=("$1" "$2"); shift 2; }
	local socket=$1
	shift
	timeout -k 5 "$E2E_TIMEOUT" "$e2e_dir/notified.py" "${more[@]}" "$socket" \
		"$KATA_RUNTIME" --root "$ROOT" "$@" >"$T/said" 2>"$T/said.err" 3>&- </dev/null
}

@test "notify: start waits for READY=, and passes it on with MAINPID= and a barrier" {
	local pid
	saying b 'env | grep NOTIFY; stat -c "%a %F" /run/notify/notify.sock
		touch /run/notify/x 2>/dev/null || echo read-only
		say STATUS=early MAINPID=1 READY; echo up
		until [ -e /go ]; do usleep 50000; done
		say "STATUS=now\nREADY=1\nMAINPID=1" READY=2; echo said
		trap exit TERM; while :; do sleep 1000 & wait $!; done' \
		'.process.user = {"uid": 1000, "gid": 1000}' \
		'.process.env += ["NOTIFY_SOCKET=/of/the/bundle"]'
	create_notified "$c" b
	pid=$(cat "$T/$c.pid")
	notified --listen 1 "$T/manager" start "$c" &
	wait_output "$c" up
	[ ! -s "$T/said" ]
	# only who starts waits; exec has what the bundle says
	is_status "$c" running
	equal "$(kata exec "$c" sh -c 'echo "[$NOTIFY_SOCKET]"')" "[/of/the/bundle]"
	touch "$T/b/rootfs/go"
	wait_output "$c" said
	wait "$!"
	equal "$(cat "$T/said")" "READY=1
MAINPID=$pid
BARRIER=1 with 1 descriptor
status 0"
	equal "$(cat "$T/$c.out")" "NOTIFY_SOCKET=/run/notify/notify.sock
777 socket
read-only
up
said"
	[ ! -e "$ROOT/$c/notify/notify.sock" ]
	kata kill "$c" TERM
	wait_stopped "$c"
	kata delete "$c"
}

@test "notify: run: detached as start, in the foreground it is itself the service" {
	local ours
	# more than anybody's queue holds, and the last word of one that ends
	saying b 'say $(seq 100 | sed s/^/STATUS=/) READY=1; exit 7'
	notified "$T/manager" run -d -b "$T/b" --pid-file "$T/pid" "$c"
	equal "$(cat "$T/said")" "READY=1
MAINPID=$(cat "$T/pid")
BARRIER=1 with 1 descriptor
status 0"
	wait_stopped "$c"
	kata delete "$c"
	# an abstract name
	timeout -k 5 "$E2E_TIMEOUT" "$e2e_dir/notified.py" "@$T/manager" sh -c \
		'echo $$ >"$T/ours"; exec "$KATA_RUNTIME" --root "$ROOT" run -b "$T/b" "$c"' \
		>"$T/said" 3>&- </dev/null
	ours=$(cat "$T/ours")
	equal "$(cat "$T/said")" "READY=1
MAINPID=$ours
status 7"
}

@test "notify: a container that never says it: start ends with it" {
	saying b 'trap "exit 3" TERM; echo up; say STATUS=never; while :; do sleep 1000 & wait $!; done'
	create_notified "$c" b
	notified "$T/manager" start "$c" &
	wait_output "$c" up
	kata kill "$c" TERM
	wait "$!"
	equal "$(cat "$T/said")" "status 0"
	is_status "$c" stopped
	kata delete "$c"
	# and when it is deleted meanwhile
	create_notified "$c" b
	notified "$T/manager2" start "$c" &
	wait_output "$c" up
	kata delete --force "$c"
	wait "$!"
	equal "$(cat "$T/said")" "status 0"
}

@test "notify: nobody listens: start says so before, run runs; without it at create" {
	saying b 'say READY=1 || echo failed; echo ran'
	create_notified "$c" b
	NOTIFY_SOCKET=$T/none run ! kata start "$c"
	has "$output" "connect to NOTIFY_SOCKET=$T/none: no such file or directory"
	NOTIFY_SOCKET=vsock:2:1 run ! kata start "$c"
	has "$output" "NOTIFY_SOCKET=vsock:2:1: is neither a path nor an abstract name"
	is_status "$c" created
	# not waited for: what it says is lost, and it goes on
	kata start "$c"
	wait_output "$c" ran
	wait_stopped "$c"
	equal "$(cat "$T/$c.out")" ran
	kata delete "$c"
	NOTIFY_SOCKET=$T/none run -0 kata run -b "$T/b" "$c" </dev/null
	has "$output" ran
	create "$c" b
	notified "$T/manager" start "$c"
	equal "$(cat "$T/said")" "status 1"
	has "$(cat "$T/said.err")" \
		"NOTIFY_SOCKET is set, but was not when the container was created"
	is_status "$c" created
}

@test "notify: two containers of one VM: each has its own" {
	local n
	saying b 'echo up; until [ -e /go ]; do usleep 50000; done; say READY=1; sleep 1000'
	create_notified "$c" b
	cp -a "$T/b" "$T/second"
	change "$T/second" ".linux.namespaces |= map(if .type == \"network\" then
		.path = \"/proc/$(cat "$T/$c.pid")/ns/net\" else . end)"
	create_notified "$c-2" second
	equal "$(record "$c-2" .sandbox.pid)" "$(record "$c" .sandbox.pid)"
	kata start "$c"
	notified "$T/manager" start "$c-2" &
	wait_output "$c-2" up
	touch "$T/b/rootfs/go"
	# that of the other: it is nobody's business
	eventually 10 kata exec "$c" pidof sleep >/dev/null
	[ ! -s "$T/said" ]
	touch "$T/second/rootfs/go"
	wait "$!"
	equal "$(head -n 2 "$T/said")" "READY=1
MAINPID=$(cat "$T/$c-2.pid")"
	for n in "$c-2" "$c"; do
		kata delete --force "$n"
	done
}
